package io.lensflow.engine.lens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.CheckpointException;
import io.lensflow.engine.checkpoint.SafetensorsWriter;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LensTranslatorTest {
  private static final int LAYERS = 3;
  private static final int D = 2;
  private static final String MODEL = "tiny";
  private static final String REVISION = "0123abcd";

  @TempDir private Path folder;
  private Path file;
  private final Map<String, String> metadata = new HashMap<>();
  private final SafetensorsWriter tensors = new SafetensorsWriter();

  @BeforeEach
  void name() {
    file = folder.resolve("lens.safetensors");
    metadata.putAll(
        Map.of(
            "format", "lensflow-lens",
            "formatVersion", "1",
            "name", "tuned",
            "kind", "affine",
            "model", MODEL,
            "revision", REVISION,
            "hookPoint", "RESIDUAL_POST"));
  }

  @Test
  void shouldReadBackWhatTheWriterWrote() throws IOException {
    TranslatorInfo info =
        new TranslatorInfo(
            "tuned",
            TranslatorInfo.Kind.AFFINE,
            MODEL,
            REVISION,
            HookPoint.RESIDUAL_POST,
            "least-squares",
            "20000 rows",
            "2026-01-02T03:04:05Z");
    TranslatorWriter writer = new TranslatorWriter(info, D);
    writer.add(0, floats(1, 2, 3, 4), floats(5, 6));
    writer.add(1, floats(-1, -2, -3, -4), floats(-5, -6));
    writer.write(file);

    try (LensTranslator translator = load()) {
      assertThat(translator.info()).isEqualTo(info);
      assertThat(translator.name()).isEqualTo("tuned");
      assertThat(values(translator.weight(1))).containsExactly(-1, -2, -3, -4);
      assertThat(values(translator.bias(0))).containsExactly(5, 6);
      assertThat(translator.covers(2)).as("the last layer is the identity").isTrue();
      assertThat(translator.weight(2)).isNull();
      assertThat(translator.covers(3)).isFalse();
    }
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void shouldTranslateInFloat32WhateverTheTypeOfTheFile() throws IOException {
    metadata.put("kind", "linear");
    // 1, −2, 0.5, 3 in bfloat16; 1, −2, 0.5, 4 in float16
    tensors.add(
        "layers.0.weight", "BF16", square(), List.of(shorts(0x3F80, 0xC000, 0x3F00, 0x4040)));
    tensors.add(
        "layers.1.weight", "F16", square(), List.of(shorts(0x3C00, 0xC000, 0x3800, 0x4400)));
    tensors.write(file, metadata);

    assertThat(translated(new float[] {1, 1, 1, 1, 1, 1}, 0, 1, 2))
        .containsExactly(-1, 3.5f, -1, 4.5f, 1, 1);
  }

  @Test
  void shouldAddMatrixAndBiasToARowWhenItIsAffine() throws IOException {
    tensors.add("layers.0.weight", "F32", square(), List.of(floats(1, 2, 3, 4)));
    tensors.add("layers.0.bias", "F32", new long[] {D}, List.of(floats(10, 20)));
    add(1);
    tensors.write(file, metadata);

    assertThat(translated(new float[] {1, 1, 5, 6, 7, 8}, 0, 1, 2))
        .containsExactly(1 + 3 + 10, 1 + 7 + 20, 5, 6, 7, 8);
  }

  private float[] translated(float[] rows, int... layers) throws IOException {
    try (LensTranslator translator = load();
        TensorKernels kernels = new TensorKernels();
        LensKernels lens = new LensKernels();
        Tensor raw = kernels.empty(DType.FLOAT32, layers.length, D)) {
      raw.bytes().asFloatBuffer().put(rows);
      try (Tensor translated = translator.apply(raw, layers, kernels, lens)) {
        return values(translated);
      }
    }
  }

  @Test
  void shouldCoverSomeLayersOnlyWhenTheFileSaysSo() throws IOException {
    metadata.put("layers", "1");
    add(1);
    tensors.write(file, metadata);

    try (LensTranslator translator = load()) {
      assertThat(translator.covers(0)).isFalse();
      assertThat(translator.covers(1)).isTrue();
    }
  }

  @Test
  void shouldNotTakeTheLastLayerForTheIdentityWhenItIsNotTheResidualStream() throws IOException {
    metadata.put("hookPoint", "MLP_OUTPUT");
    add(0);
    add(1);
    tensors.write(file, metadata);

    assertThatThrownBy(this::load).hasMessageContaining("layers.2.weight is missing");
  }

  @Test
  void shouldTakeAFileThatNamesNoRevision() throws IOException {
    metadata.remove("revision");
    valid();

    load().close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "format | pt | does not say format = lensflow-lens",
        "formatVersion | 2 | formatVersion is '2'",
        "formatVersion | '' | has no 'formatVersion'",
        "name | '' | has no 'name'",
        "name | ../tuned | name is '../tuned'",
        "kind | cubic | kind is 'cubic'; known are [AFFINE, LINEAR]",
        "kind | linear | kind is linear, which has no layers.<i>.bias",
        "hookPoint | attention | hookPoint is 'attention'",
        "model | other | was made for the model 'other', not 'tiny'",
        "revision | ffff | was made for revision ffff of 'tiny', not 0123abcd",
        "layers | 0-1,9 | there is no layer 9",
        "layers | 0 | it holds layer 1, which 'layers' in its metadata, 0, leaves out",
      })
  void shouldRefuseMetadataByName(String field, String value, String message) throws IOException {
    metadata.put(field, value);
    valid();

    assertThatThrownBy(this::load)
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("lens.safetensors")
        .hasMessageContaining(message);
  }

  @Test
  void shouldRefuseALayerThatIsMissing() throws IOException {
    add(1);
    tensors.write(file, metadata);

    assertThatThrownBy(this::load)
        .hasMessageContaining("layers.0.weight is missing")
        .hasMessageContaining("'layers'");
  }

  @Test
  void shouldRefuseALayerThatTheModelDoesNotHave() throws IOException {
    add(0);
    add(1);
    add(3);
    tensors.write(file, metadata);

    assertThatThrownBy(this::load)
        .hasMessageContaining("it holds layer 3, but the model has layers 0 … 2");
  }

  @Test
  void shouldRefuseAnotherHiddenSize() throws IOException {
    for (int layer = 0; layer < LAYERS; layer++) {
      tensors.add(
          "layers." + layer + ".weight", "F32", new long[] {3, 3}, List.of(floats(new float[9])));
      tensors.add("layers." + layer + ".bias", "F32", new long[] {3}, List.of(floats(0, 0, 0)));
    }
    tensors.write(file, metadata);

    assertThatThrownBy(this::load)
        .hasMessageContaining("its weights are [3, 3], but the model's hidden size is 2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "layers.0.weight | F32 | 4   | 4 | not [D, D]",
        "layers.0.weight | F32 | 1,4 | 4 | not [D, D]",
        "layers.0.weight | F32 | 1,1 | 1 | has shape [2, 2], but another one [1, 1]",
        "layers.0.bias   | F32 | 1   | 1 | layers.0.bias has shape [1]",
        "layers.0.weight | I32 | 2,2 | 4 | is stored as I32; supported: F32, F16, BF16",
        "layers.00.weight | F32 | 2,2 | 4 | layers.00.weight is none of",
        "lm_head.weight  | F32 | 2,2 | 4 | lm_head.weight is none of",
        "layers.2.bias   | F32 | 2   | 2 | bias has no layers.<i>.weight beside it",
      })
  void shouldRefuseTensorsByName(
      String name, String dtype, String shape, int elements, String message) throws IOException {
    long[] sizes = Arrays.stream(shape.split(",")).mapToLong(Long::parseLong).toArray();
    tensors.add(name, dtype, sizes, List.of(floats(new float[elements])));
    for (int layer = 0; layer < 2; layer++) {
      addUnless(name, "layers.%d.weight".formatted(layer), square());
      addUnless(name, "layers.%d.bias".formatted(layer), D);
    }
    tensors.write(file, metadata);

    assertThatThrownBy(this::load)
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  @Test
  void shouldRefuseWhatIsNotFinite() throws IOException {
    add(0);
    tensors.add("layers.1.weight", "F32", square(), List.of(floats(0, 0, Float.NaN, 0)));
    tensors.add("layers.1.bias", "F32", new long[] {D}, List.of(floats(0, 0)));
    tensors.write(file, metadata);

    assertThatThrownBy(this::load)
        .hasMessageContaining("layers.1.weight holds NaN or infinity at element 2");
  }

  @Test
  void shouldRefuseAFileThatIsCut() throws IOException {
    valid();
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));

    assertThatThrownBy(this::load).hasMessageContaining("cut");
  }

  @Test
  void shouldRefuseToWriteANameThatNoRequestCouldChoose() {
    TranslatorInfo info =
        new TranslatorInfo(
            "my lens", TranslatorInfo.Kind.LINEAR, MODEL, "", HookPoint.RESIDUAL_POST, "", "", "");

    assertThatThrownBy(() -> new TranslatorWriter(info, D)).hasMessageContaining("'my lens'");
  }

  private void valid() throws IOException {
    add(0);
    add(1);
    tensors.write(file, metadata);
  }

  private void add(int layer) {
    addUnless("", "layers.%d.weight".formatted(layer), square());
    addUnless("", "layers.%d.bias".formatted(layer), D);
  }

  private void addUnless(String taken, String name, long... shape) {
    if (!name.equals(taken)) {
      int size = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
      tensors.add(name, "F32", shape, List.of(floats(new float[size])));
    }
  }

  private LensTranslator load() throws IOException {
    return LensTranslator.load(file, config(), MODEL, REVISION);
  }

  private static ModelConfig config() {
    return new ModelConfig(
        "LlamaForCausalLM", LAYERS, D, 1, 1, D, 4, 8, 16, 1e-5, null, true, Set.of());
  }

  private static long[] square() {
    return new long[] {D, D};
  }

  private static float[] values(Tensor tensor) {
    float[] values = new float[tensor.bytes().remaining() / Float.BYTES];
    tensor.bytes().asFloatBuffer().get(values);
    return values;
  }

  private static ByteBuffer floats(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.flip();
  }

  private static ByteBuffer shorts(int... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.putShort((short) value);
    }
    return bytes.flip();
  }
}
