package io.lensflow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.engine.capture.CapturePlan;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The project's own golden checkpoints ({@code src/test/resources/golden}) against transformers:
 * every architecture and option, storage type and configuration layout, on any clone.
 */
class GoldenCheckpointTest {
  private static final EngineOptions FLOAT32 =
      EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(256);

  /** One case of one checkpoint, run with some options. */
  record Run(String checkpoint, String golden, boolean outgrowsWindow, EngineOptions options) {
    @Override
    public String toString() {
      return checkpoint + " " + golden;
    }
  }

  private static List<Run> runs() throws IOException {
    List<Run> runs = new ArrayList<>();
    for (String checkpoint : GoldenCheckpoints.NAMES) {
      JsonNode description =
          new ObjectMapper()
              .readTree(GoldenCheckpoints.folder(checkpoint).resolve("golden.json").toFile());
      for (JsonNode item : description.path("cases")) {
        String golden = item.path("case").asText();
        boolean outgrows = item.path("outgrows_window").booleanValue();
        runs.add(new Run(checkpoint, golden, outgrows, FLOAT32));
      }
    }
    return runs;
  }

  private static Stream<Run> runsInsideTheWindow() throws IOException {
    return runs().stream().filter(run -> !run.outgrowsWindow());
  }

  private static Stream<Run> runsBeyondTheWindow() throws IOException {
    return runs().stream().filter(Run::outgrowsWindow);
  }

  @ParameterizedTest
  @MethodSource("runsInsideTheWindow")
  void shouldAgreeWithTransformersWhenRunInFloat32(Run run) throws IOException {
    try (Golden golden = Golden.in(GoldenCheckpoints.folder(run.checkpoint()));
        Engine engine =
            EngineLoader.load(GoldenCheckpoints.folder(run.checkpoint()), run.options())) {
      int[] prompt = golden.integers(run.golden() + ".prompt_ids");
      GoldenAgreement.check(golden, engine, run.golden(), prompt, List.of());
    }
  }

  @ParameterizedTest
  @MethodSource("runsBeyondTheWindow")
  void shouldRefuseWhenASequenceOutgrowsTheSlidingWindow(Run run) throws IOException {
    try (Golden golden = Golden.in(GoldenCheckpoints.folder(run.checkpoint()));
        Engine engine =
            EngineLoader.load(GoldenCheckpoints.folder(run.checkpoint()), run.options())) {
      int prompt = golden.integers(run.golden() + ".prompt_ids").length;
      int length = prompt + golden.integers(run.golden() + ".greedy_ids").length;
      assertThatThrownBy(
              () -> engine.open(new SequenceOptions(prompt, length, CapturePlan.NONE, List.of())))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("maxLength is " + length)
          .hasMessageContaining("sliding window of " + engine.maxContext() + " tokens")
          .hasMessageContaining("max_position_embeddings is 64");
    }
  }

  @Test
  void shouldReadTheEndIdsWhenAGenerationConfigNamesSeveral() throws IOException {
    try (Engine engine = EngineLoader.load(GoldenCheckpoints.folder("llama-mqa"), FLOAT32)) {
      assertThat(engine.config().eosTokenIds()).containsExactlyInAnyOrder(2, 5, 7);
    }
  }
}
