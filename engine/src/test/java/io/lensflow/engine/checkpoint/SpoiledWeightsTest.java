package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.GoldenCheckpoints;
import io.lensflow.engine.NativeHeap;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints whose weights are spoiled: refused whole, and nothing of them stays in memory. */
class SpoiledWeightsTest {
  private static final int WINDOWS = 40;
  private static final int LOADS_PER_WINDOW = 5;
  private static final int QUIET_WINDOWS = 3;

  /**
   * In the quieter windows: the Java compilers' memory comes and goes, but not in all of them. A
   * forgotten matrix is 5,000 bytes and more, all weights 100,000. libtorch itself keeps 550 bytes
   * of every TorchScript module that was ever loaded.
   */
  private static final long ALLOWED_BYTES_PER_LOAD = 5000;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "llama-bias, model.norm.weight, 35, 7F800000",
    "llama-bias, model.layers.0.mlp.gate_proj.bias, 0, FFC00001",
    "llama-bias, model.layers.1.self_attn.o_proj.weight, 700, FF800000",
    "llama-mqa, model.embed_tokens.weight, 3879, 7FC0",
    "llama-mqa, model.layers.0.self_attn.k_proj.weight, 1, FF80",
    "qwen2, model.layers.1.mlp.down_proj.weight, 17, 7C00",
    "qwen2, model.layers.1.self_attn.q_proj.bias, 3, FE01",
  })
  void shouldNameTensorAndElementWhenAWeightIsNotFinite(
      String name, String tensor, int element, String bits) throws IOException {
    GoldenCheckpoints.copy(name, folder);
    spoil(tensor, element, bits);
    assertThatThrownBy(() -> EngineLoader.load(folder, EngineOptions.defaults()))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(
            "%s: tensor %s holds NaN or infinity at element %d"
                .formatted(folder.resolve("model.safetensors"), tensor, element));
  }

  @Test
  void shouldRefuseTheLensHeadWhenItsNormIsNotFinite() throws IOException {
    GoldenCheckpoints.copy("llama-bias", folder);
    spoil("model.norm.weight", 0, "7FC00000");
    assertThatThrownBy(() -> LensHead.load(folder, LensHeadOptions.defaults()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tensor model.norm.weight holds NaN or infinity at element 0");
  }

  @Test
  void shouldFindAnElementWhenItLiesBehindManyPieces() throws IOException {
    new CheckpointFolder(folder).write();
    Path file = folder.resolve("model.safetensors");
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      TensorInfo head = checkpoint.tensor("lm_head.weight", 48, 16);
      spoil("lm_head.weight", 500, "7FC00000");
      ByteBuffer target = ByteBuffer.allocate(2048 - 400);
      assertThatThrownBy(() -> checkpoint.read(head, 400, target))
          .hasMessage(file + ": tensor lm_head.weight holds NaN or infinity at element 500");
      ByteBuffer before = ByteBuffer.allocate(2000);
      checkpoint.read(head, 0, before);
      assertThat(before.hasRemaining()).isFalse();
    }
  }

  @Test
  void shouldRefuseWhenTheFileIsCutAtAnyLength() throws IOException {
    GoldenCheckpoints.copy("llama-bias", folder);
    Path file = folder.resolve("model.safetensors");
    byte[] whole = Files.readAllBytes(file);
    for (int length : new int[] {0, 1, 7, 8, 9, 1000, whole.length / 2, whole.length - 1}) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> EngineLoader.load(folder, EngineOptions.defaults()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(file.toString());
    }
  }

  @Test
  void shouldRefuseWhenTheFileShrinksAfterItWasOpened() throws IOException {
    GoldenCheckpoints.copy("llama-bias", folder);
    Path file = folder.resolve("model.safetensors");
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      TensorInfo norm = checkpoint.tensor("model.norm.weight", 36);
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(5000);
      }
      assertThatThrownBy(() -> checkpoint.read(norm, 0, ByteBuffer.allocate(144)))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("cut off");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "[]", "{}", "{\"version\": 7}", "{\"model\": {\"type\": \"X\"}}"})
  void shouldNameTheTokenizerWhenItIsBroken(String text) throws IOException {
    GoldenCheckpoints.copy("llama-bias", folder);
    Files.writeString(folder.resolve("tokenizer.json"), text);
    assertThatThrownBy(() -> EngineLoader.load(folder, EngineOptions.defaults()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(folder.resolve("tokenizer.json").toString());
  }

  @Test
  void shouldKeepNothingWhenLoadsFail() throws IOException {
    GoldenCheckpoints.copy("qwen2", folder);
    // The last element that a loader reaches: nearly everything is in memory by then.
    spoil("model.layers.1.mlp.down_proj.weight", 48 * 72 - 1, "7E00");
    fail(2 * LOADS_PER_WINDOW);
    long[] growth = new long[WINDOWS];
    for (int window = 0; window < growth.length; window++) {
      long before = NativeHeap.bytesInUse();
      fail(LOADS_PER_WINDOW);
      growth[window] = Math.abs(NativeHeap.bytesInUse() - before);
    }
    Arrays.sort(growth);
    assertThat(growth[QUIET_WINDOWS] / LOADS_PER_WINDOW)
        .as("bytes per failing load, windows grew by %s", Arrays.toString(growth))
        .isLessThan(ALLOWED_BYTES_PER_LOAD);
  }

  private void fail(int times) {
    for (int i = 0; i < times; i++) {
      EngineOptions options = EngineOptions.defaults().withRanks(1 + i % 2);
      assertThatThrownBy(() -> EngineLoader.load(folder, options))
          .isInstanceOf(CheckpointException.class);
    }
  }

  /** Overwrites one element with the given bits. */
  private void spoil(String tensor, int element, String bits) throws IOException {
    Path path = folder.resolve("model.safetensors");
    int size = bits.length() / 2;
    long at;
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      at = Long.BYTES + file.headerBytes().length + file.tensor(tensor).begin();
    }
    ByteBuffer value = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    value.putLong(Long.parseLong(bits, 16)).flip().limit(size);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.write(value, at + (long) element * size);
    }
  }
}
