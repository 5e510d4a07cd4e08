package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.GoldenCheckpoints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random damage, the same on every run: a checkpoint is read or refused, and nothing else. */
class FuzzedCheckpointTest {
  private static final int TRIALS = 150;
  private static final int MOST_CHANGES = 4;

  /** Bytes that mean something in JSON, so that not every change is a syntax error. */
  private static final byte[] TELLING = "0123456789-.eE,:[]{}\"\\ntf".getBytes();

  @TempDir private Path folder;

  @Test
  void shouldReadOrRefuseWhenAHeaderIsDamaged() throws IOException {
    damage("llama-bias", "model.safetensors", 1, true);
  }

  @Test
  void shouldReadOrRefuseWhenAConfigurationIsDamaged() throws IOException {
    damage("qwen3-window", "config.json", 2, false);
    damage("llama-mqa", "generation_config.json", 3, false);
  }

  @Test
  void shouldReadOrRefuseWhenAnIndexIsDamaged() throws IOException {
    damage("llama-tp", "model.safetensors.index.json", 4, false);
  }

  private void damage(String name, String fileName, long seed, boolean safetensors)
      throws IOException {
    GoldenCheckpoints.copy(name, folder);
    Path file = folder.resolve(fileName);
    byte[] whole = Files.readAllBytes(file);
    int end =
        safetensors
            ? (int) (Long.BYTES + ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong(0))
            : whole.length;
    Checkpoint.open(folder).close();
    Random random = new Random(seed);
    int refused = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
      byte[] damaged = whole.clone();
      for (int changes = random.nextInt(MOST_CHANGES); changes >= 0; changes--) {
        damaged[random.nextInt(end)] =
            random.nextBoolean()
                ? TELLING[random.nextInt(TELLING.length)]
                : (byte) random.nextInt(256);
      }
      Files.write(file, damaged);
      try (Checkpoint checkpoint = Checkpoint.open(folder)) {
        readAll(checkpoint);
      } catch (CheckpointException e) {
        assertThat(e).hasMessageContaining(folder.toString());
        refused++;
      }
    }
    assertThat(refused).as("refused of %d", TRIALS).isGreaterThan(TRIALS / 10);
    Files.delete(file);
  }

  private static void readAll(Checkpoint checkpoint) throws IOException {
    for (String tensor : checkpoint.tensorNames()) {
      TensorInfo info = checkpoint.info(tensor);
      checkpoint.read(info, 0, ByteBuffer.allocate((int) info.byteCount()));
    }
  }
}
