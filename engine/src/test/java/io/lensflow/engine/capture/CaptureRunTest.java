package io.lensflow.engine.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.Golden;
import io.lensflow.engine.GoldenCheckpoints;
import io.lensflow.engine.Trace;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.CheckpointFolder;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.SafetensorsWriter;
import io.lensflow.engine.checkpoint.VectorReader;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.testkit.SharedData;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CaptureRunTest {
  @TempDir private Path folder;
  private Path output;

  @BeforeEach
  void makeCheckpoint() throws IOException {
    new CheckpointFolder(folder).write();
    output = folder.resolve("out.safetensors");
  }

  private CaptureOptions options(String prompt, String tokenIds, int maxNewTokens) {
    return new CaptureOptions(
        folder,
        null,
        prompt,
        tokenIds,
        maxNewTokens,
        true,
        "residual_post,mlp_output",
        "-1",
        "all",
        null,
        1,
        List.of(),
        0,
        false,
        null,
        null,
        output);
  }

  @Test
  void shouldWriteEveryRowWhenTokensAreGenerated() throws IOException {
    CaptureRun.Summary summary = CaptureRun.run(options("w3 w5 w7", null, 4));
    assertThat(summary.promptIds()).containsExactly(3, 5, 7);
    assertThat(summary.generatedIds()).hasSize(4);
    assertThat(summary.rows()).isEqualTo(6);
    try (SafetensorsFile file = SafetensorsFile.open(output)) {
      assertThat(file.metadata())
          .containsEntry("layers", "1")
          .containsEntry("model", String.valueOf(folder.getFileName()));
      assertThat(file.tensor("token_ids").shape()).containsExactly(3L);
      assertThat(file.tensor("token_ids").dtype()).isEqualTo("I64");
      assertThat(file.tensor("generated_ids").shape()).containsExactly(4L);
      assertThat(file.tensor("logits").shape()).containsExactly(6L, 48L);
      assertThat(file.tensor("residual_post").shape()).containsExactly(1L, 6L, 16L);
      assertThat(file.tensor("mlp_output").dtype()).isEqualTo("F32");
    }
  }

  @Test
  void shouldWritePromptRowsOnlyWhenNothingIsGenerated() throws IOException {
    assertThat(CaptureRun.run(options(null, " 3, 5", 0)).rows()).isEqualTo(2);
    try (SafetensorsFile file = SafetensorsFile.open(output)) {
      assertThat(file.tensor("generated_ids").shape()).containsExactly(0L);
      assertThat(file.tensor("residual_post").shape()).containsExactly(1L, 2L, 16L);
    }
  }

  @Test
  void shouldWriteOnlyTheRowsThatAreAskedForWhenPositionsAreGiven() throws IOException {
    CaptureRun.run(options(null, "3,5,7", 4));
    float[] all;
    try (SafetensorsFile file = SafetensorsFile.open(output)) {
      all = VectorReader.read(file, "residual_post");
    }
    CaptureOptions some = at(options(null, "3,5,7", 4), "-1,4-", List.of());
    assertThat(CaptureRun.run(some).rows()).isEqualTo(3);
    try (SafetensorsFile file = SafetensorsFile.open(output)) {
      assertThat(file.tensor("logits").shape()).containsExactly(6L, 48L);
      assertThat(file.tensor("positions").shape()).containsExactly(3L);
      assertThat(file.tensor("residual_post").shape()).containsExactly(1L, 3L, 16L);
      float[] rows = VectorReader.read(file, "residual_post");
      int row = 0;
      for (int position : new int[] {2, 4, 5}) {
        assertThat(Arrays.copyOfRange(rows, 16 * row, 16 * ++row))
            .containsExactly(Arrays.copyOfRange(all, 16 * position, 16 * (position + 1)));
      }
    }
  }

  private static CaptureOptions at(CaptureOptions o, String positions, List<String> devices) {
    return new CaptureOptions(
        o.model(),
        o.modelName(),
        o.prompt(),
        o.tokenIds(),
        o.maxNewTokens(),
        o.ignoreEos(),
        o.hookPoints(),
        o.layers(),
        positions,
        o.dtype(),
        o.tensorParallel(),
        devices,
        o.threads(),
        o.deterministic(),
        o.steering(),
        o.lens(),
        o.output());
  }

  @Test
  void shouldAgreeWithTransformersWhenSteeredByAFile() throws IOException {
    Path model = SharedData.folder("fixtures/tiny-llama31");
    try (Golden golden = Golden.of("tiny-llama31")) {
      Path steering =
          steering(
              golden.floats("vector.v1"),
              "\"layer\": 1, \"hookPoint\": \"attention_input\", \"operation\": \"add\","
                  + " \"multiplier\": 1.5, \"positions\": \"last_prompt\"");
      int[] prompt = golden.integers("case1.prompt_ids");
      String ids = String.join(",", Arrays.stream(prompt).mapToObj(String::valueOf).toList());
      CaptureRun.Summary summary =
          CaptureRun.run(
              new CaptureOptions(
                  model, "tiny", null, ids, 12, true, "all", "all", "all", "float32", 1, List.of(),
                  0, false, steering, null, output));
      assertThat(summary.generatedIds()).isEqualTo(golden.integers("steer0.greedy_ids"));
      try (SafetensorsFile file = SafetensorsFile.open(output)) {
        assertThat(file.metadata()).containsEntry("model", "tiny");
        for (HookPoint point : HookPoint.values()) {
          float[] actual = VectorReader.read(file, point.fileName());
          float[] expected = golden.floats("steer0." + point.fileName());
          assertThat(actual).hasSameSizeAs(expected);
          assertThat(Trace.distance(actual, expected, 0)).isLessThan(3e-5);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, true, false", "2, false, true", "2, true, false", "4, false, false"})
  void shouldAgreeWithTransformersWhenRanksShareTheModel(
      int ranks, boolean deterministic, boolean onDevices) throws IOException {
    Path model = GoldenCheckpoints.folder("llama-tp");
    try (Golden golden = Golden.in(model)) {
      int[] prompt = golden.integers("case0.prompt_ids");
      int[] generated = golden.integers("case0.greedy_ids");
      CaptureRun.Summary summary =
          CaptureRun.run(
              new CaptureOptions(
                  model,
                  "llama-tp",
                  null,
                  list(prompt),
                  generated.length,
                  true,
                  "all",
                  "all",
                  "all",
                  "float32",
                  ranks,
                  onDevices ? Collections.nCopies(ranks, "cpu:0") : List.of(),
                  2,
                  deterministic,
                  null,
                  null,
                  output));
      assertThat(summary.generatedIds()).isEqualTo(generated);
      try (SafetensorsFile file = SafetensorsFile.open(output)) {
        for (HookPoint point : HookPoint.values()) {
          assertAgree(file, point.fileName(), golden);
        }
        assertAgree(file, "logits", golden);
      }
    }
  }

  private static String list(int[] ids) {
    return Arrays.stream(ids).mapToObj(String::valueOf).collect(Collectors.joining(","));
  }

  /** Row by row, each within rounding of its norm. */
  private static void assertAgree(SafetensorsFile file, String tensor, Golden golden)
      throws IOException {
    List<Long> shape = file.tensor(tensor).shape();
    int width = Math.toIntExact(shape.get(shape.size() - 1));
    float[] actual = VectorReader.read(file, tensor);
    float[] expected = golden.floats("case0." + tensor);
    assertThat(actual).as(tensor).hasSameSizeAs(expected);
    for (int row = 0; row < actual.length; row += width) {
      float[] one = Arrays.copyOfRange(actual, row, row + width);
      assertThat(Trace.distance(one, expected, row)).as("%s at %d", tensor, row).isLessThan(3e-5);
    }
  }

  @Test
  void shouldNameTheOptionWhenItIsWrong() {
    refused(o -> options(null, null, 1), "either --prompt or --token-ids");
    refused(o -> options("w1", "1", 1), "either --prompt or --token-ids");
    refused(o -> options(null, "1,48", 1), "--token-ids: 48 is not of this model's vocabulary");
    refused(o -> options(null, "1,x", 1), "--token-ids '1,x'");
    refused(o -> options("", null, 1), "--prompt gives no tokens");
    refused(o -> options("w1", null, -1), "--max-new-tokens is -1");
    refused(o -> options("w1", null, 5000), "exceed the model's context of 4096");
    refused(o -> with(o, "residual", "all", null, 1), "--hook-points: 'residual' is none");
    refused(o -> with(o, "all", "2", null, 1), "there is no layer 2");
    refused(o -> with(o, "all", "all", "float16", 1), "--dtype 'float16' is not supported");
    refused(o -> at(o, "late", List.of()), "--positions 'late'");
    refused(o -> at(o, "all", List.of("cpu", "cpu")), "--devices names 2 for --tensor-parallel 1");
    refused(o -> at(o, "all", List.of("cuda:99")), "--devices: device 'cuda:99' cannot be used");
    refused(o -> at(o, "all", List.of("gpu")), "device 'gpu' is not known");
    refused(o -> with(o, "all", "all", null, 0), "--tensor-parallel is 0; it must be at least 1");
    refused(
        o -> with(o, "all", "all", null, 3),
        "--tensor-parallel: 3 tensor-parallel ranks cannot share 2 query and 1 key/value heads");
  }

  private static CaptureOptions with(
      CaptureOptions o, String points, String layers, String dtype, int ranks) {
    return new CaptureOptions(
        o.model(),
        o.modelName(),
        o.prompt(),
        o.tokenIds(),
        o.maxNewTokens(),
        o.ignoreEos(),
        points,
        layers,
        o.positions(),
        dtype,
        ranks,
        o.devices(),
        o.threads(),
        o.deterministic(),
        o.steering(),
        o.lens(),
        o.output());
  }

  private void refused(UnaryOperator<CaptureOptions> change, String message) {
    CaptureOptions changed = change.apply(options("w1 w2", null, 1));
    assertThatThrownBy(() -> CaptureRun.run(changed))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThat(output).doesNotExist();
  }

  @Test
  void shouldNameEntryAndFieldWhenASteeringFileIsWrong() throws IOException {
    float[] vector = new float[16];
    vector[0] = 1;
    steeringRefused(vector, "\"layer\": 9", "steering[0]: there is no layer 9");
    steeringRefused(vector, "\"layer\": \"x\"", "[0].layer must be an integer");
    steeringRefused(vector, "\"layer\": 0, \"hook\": 1", "[0].hook is unknown");
    steeringRefused(vector, "\"layer\": 0, \"operation\": \"MUL\"", "[0].operation is \"MUL\"");
    steeringRefused(vector, "\"layer\": 0, \"positions\": \"late\"", "[0].positions 'late'");
    steeringRefused(new float[15], "\"layer\": 0", "15 values; this model's hidden size is 16");
  }

  private void steeringRefused(float[] vector, String fields, String message) throws IOException {
    Path steering = steering(vector, fields);
    CaptureOptions o = options("w1", null, 1);
    assertThatThrownBy(
            () ->
                CaptureRun.run(
                    new CaptureOptions(
                        folder, null, "w1", null, 1, true, "all", "all", "all", null, 1, List.of(),
                        0, false, steering, null, output)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThat(o.output()).doesNotExist();
  }

  /** A steering file of one entry, and its vector beside it. */
  private Path steering(float[] vector, String fields) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * vector.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    SafetensorsWriter writer = new SafetensorsWriter();
    writer.add("v", "F32", new long[] {vector.length}, List.of(bytes));
    writer.write(folder.resolve("v.safetensors"), Map.of());
    return Files.writeString(
        folder.resolve("steering.json"),
        "[{\"vector\": {\"file\": \"v.safetensors\", \"tensor\": \"v\"}, " + fields + "}]");
  }

  @Test
  void shouldSayWhatToAskForWhenTheHeapCannotHoldTheRun() throws IOException {
    ModelConfig config;
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      config = checkpoint.config().model();
    }
    CapturePlan plan =
        new CapturePlan(List.of(HookPoint.RESIDUAL_POST), List.of(0, 1), PositionSpec.ALL, false);
    long logits = 1_000_000L * config.vocabularySize() * Float.BYTES;
    long rows = 500_000L * 2 * config.hiddenSize() * Float.BYTES;
    long enough = logits + rows + (128L << 20);

    CaptureRun.checkHeap(1_000_000, 500_000, config, plan, enough);
    assertThatThrownBy(() -> CaptureRun.checkHeap(1_000_000, 500_000, config, plan, enough - 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("--positions")
        .hasMessageContaining("JAVA_OPTS=-Xmx" + ((enough >> 20) + 1) + "m");
  }
}
