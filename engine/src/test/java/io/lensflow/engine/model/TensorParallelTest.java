package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.GoldenCheckpoints;
import io.lensflow.engine.RankInfo;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.TensorInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What ranks read, and what happens when one of them fails. */
@Timeout(60)
class TensorParallelTest {
  private static final int[] IDS = {5, 9, 14, 3, 60, 41, 8};

  private static Engine load(String checkpoint, int ranks) throws IOException {
    return EngineLoader.load(
        GoldenCheckpoints.folder(checkpoint),
        EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(64).withRanks(ranks));
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-tp", "llama-mqa", "qwen3-window", "mistral-window"})
  void shouldReadOnlyItsShareWhenLoaded(String checkpoint) throws IOException {
    for (int ranks : new int[] {1, 2, 4}) {
      try (Engine engine = load(checkpoint, ranks)) {
        Share all = Share.of(GoldenCheckpoints.folder(checkpoint), engine.config(), ranks);
        List<RankInfo> infos = engine.ranks();
        assertThat(infos).extracting(RankInfo::rank).hasSize(ranks).isSorted();
        assertThat(infos.stream().mapToLong(RankInfo::bytesRead).sum())
            .as("%s, %d ranks", checkpoint, ranks)
            .isEqualTo(all.split() + ranks * all.replicated());
        for (RankInfo info : infos) {
          assertThat(info.bytesRead())
              .as("%s, %s of %d", checkpoint, info, ranks)
              .isLessThanOrEqualTo(all.split() / ranks + all.replicated() + all.uneven());
        }
      }
    }
  }

  /**
   * Bytes of a checkpoint by who reads them.
   *
   * @param split read by one rank or, key/value heads that are fewer than the ranks, by some
   * @param replicated read by every rank
   * @param uneven by how much one rank's part of what is split may be over the average
   */
  private record Share(long split, long replicated, long uneven) {
    static Share of(Path folder, ModelConfig config, int ranks) throws IOException {
      long split = 0;
      long replicated = 0;
      long uneven = 0;
      try (Stream<Path> paths = Files.list(folder)) {
        for (Path path : (Iterable<Path>) paths.filter(Share::holdsWeights)::iterator) {
          try (SafetensorsFile file = SafetensorsFile.open(path)) {
            for (TensorInfo tensor : file.tensors()) {
              String name = tensor.name();
              long bytes = tensor.byteCount();
              if (name.contains("norm")) {
                replicated += bytes;
              } else if (name.contains("k_proj") || name.contains("v_proj")) {
                split += bytes * Math.max(1, ranks / config.keyValueHeads());
              } else {
                split += bytes;
              }
              if (name.endsWith("o_proj.bias") || name.endsWith("down_proj.bias")) {
                // The first rank alone adds what is added once.
                uneven += bytes;
              } else if (name.contains("mlp")) {
                uneven += bytes / config.mlpSize();
              } else if (name.contains("embed_tokens") || name.contains("lm_head")) {
                uneven += bytes / config.vocabularySize() * Shard.VOCABULARY_BLOCK;
              }
            }
          }
        }
      }
      return new Share(split, replicated, ranks == 1 ? 0 : uneven);
    }

    private static boolean holdsWeights(Path path) {
      return path.getFileName().toString().matches("model.*\\.safetensors");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void shouldSayWhichFailureItWasWhenARankFails(int failing) throws IOException {
    Engine engine = load("llama-tp", 2);
    Sequence sequence = open(engine);
    step(engine, sequence);
    ((Transformer) engine).rank(failing).weights().layers().close();
    assertThatThrownBy(() -> step(engine, sequence))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageEndingWith("closed");
    for (int again = 0; again < 2; again++) {
      assertThatThrownBy(() -> step(engine, sequence))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("a rank failed before; load the engine anew")
          .cause()
          .hasMessageEndingWith("closed");
    }
    assertThatThrownBy(() -> open(engine)).hasMessageContaining("a rank failed before");
    assertThatThrownBy(() -> engine.prepare(new float[64]))
        .hasMessageContaining("a rank failed before");
    sequence.close();
    engine.close();
    engine.close();
    assertThatThrownBy(() -> open(engine)).hasMessage("the engine is closed");
  }

  @Test
  void shouldStepAndKeepTheInterruptWhenInterrupted() throws IOException {
    try (Engine engine = load("llama-tp", 4);
        Sequence sequence = open(engine)) {
      Thread.currentThread().interrupt();
      try {
        step(engine, sequence);
      } finally {
        assertThat(Thread.interrupted()).isTrue();
      }
      assertThat(sequence.length()).isEqualTo(IDS.length);
      step(engine, sequence);
    }
  }

  private static Sequence open(Engine engine) {
    return engine.open(new SequenceOptions(IDS.length, 32, CapturePlan.NONE, List.of()));
  }

  private static void step(Engine engine, Sequence sequence) {
    engine.step(List.of(new StepInput(sequence, IDS, Logits.SUMMARY)));
  }
}
