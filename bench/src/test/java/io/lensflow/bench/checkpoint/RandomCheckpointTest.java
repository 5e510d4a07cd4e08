package io.lensflow.bench.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.limit.WorkSize;
import io.lensflow.cli.Main;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.generation.Generation;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RandomCheckpointTest {
  private static final String TEXT = "Grüße, 東京!";

  @TempDir Path folder;

  @Test
  void shouldWriteAModelThatTheEngineRuns() throws IOException {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);

    try (Engine engine =
        EngineLoader.load(folder, EngineOptions.defaults().withDType(DType.FLOAT32))) {
      List<float[]> logits = new ArrayList<>();
      int[] generated =
          Generation.greedy(4, Set.of())
              .run(engine, new int[] {5, 6, 7}, step -> logits.add(step.logits()));

      assertThat(generated).hasSize(4);
      for (float[] row : logits) {
        for (float logit : row) {
          assertThat(Math.abs(logit)).isBetween(0f, 30f);
        }
      }
    }
  }

  @Test
  void shouldBeAsLargeAsItsShapeSays() throws IOException {
    long bytes = new RandomCheckpoint(Shape.TINY, 1).write(folder);
    WorkSize size;
    try (Engine engine = EngineLoader.load(folder, EngineOptions.defaults())) {
      size = new WorkSize(engine.config(), engine.dtype());
    }
    long norms = (2L * size.config().layers() + 1) * size.config().hiddenSize() * 2;
    long header = bytes - size.weightBytes() - norms;

    assertThat(header).isBetween(0L, 8192L);
  }

  @Test
  void shouldGiveTheSameBytesForTheSameSeedOnly() throws IOException {
    byte[] first = weights("a", 1);

    assertThat(weights("b", 1)).isEqualTo(first);
    assertThat(weights("c", 2)).isNotEqualTo(first);
  }

  @Test
  void shouldReadAnyText() throws IOException {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);

    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      int[] ids = tokenizer.encode(TEXT);
      assertThat(ids).hasSize(TEXT.getBytes(java.nio.charset.StandardCharsets.UTF_8).length);
      assertThat(tokenizer.decode(true, ids)).isEqualTo(TEXT);
    }
  }

  @Test
  void shouldNotOverwriteAModel() throws IOException {
    String[] arguments = {"bench", "checkpoint", "--shape", "tiny", "--out", folder.toString()};

    assertThat(Main.run(arguments)).isZero();
    assertThat(Main.run(arguments)).isEqualTo(1);
    assertThat(Main.run("bench", "checkpoint", "--shape", "huge", "--out", "x")).isEqualTo(2);
  }

  private byte[] weights(String name, long seed) throws IOException {
    Path target = folder.resolve(name);
    new RandomCheckpoint(Shape.TINY, seed).write(target);
    return Files.readAllBytes(target.resolve("model.safetensors"));
  }
}
