package io.lensflow.engine.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.Golden;
import io.lensflow.engine.checkpoint.CheckpointFolder;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.TensorInfo;
import io.lensflow.engine.lens.LensGolden;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CaptureLensTest {
  private static final CaptureLensOptions ALL =
      new CaptureLensOptions("residual_post,attention_input,residual_mid", "all", "exact", 5, null);

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama31", "tiny-qwen3", "tiny-qwen2", "tiny-mistral"})
  void shouldWriteGoldenMetricsWhenTheEngineRunsAlone(String fixture) throws IOException {
    Path output = folder.resolve("out.safetensors");
    try (Golden golden = Golden.of(fixture)) {
      int[] generated = golden.integers("case1.greedy_ids");
      CaptureRun.run(
          options(
              SharedData.folder("fixtures/" + fixture),
              golden.integers("case1.prompt_ids"),
              generated.length,
              ALL,
              output));
      try (SafetensorsFile file = SafetensorsFile.open(output)) {
        assertThat(file.metadata()).containsEntry("lens", "logit");
        // The lens's hook points are not written for their own sake.
        assertThat(file.has("residual_mid")).isFalse();
        for (String point : ALL.hookPoints().split(",")) {
          for (String metric : LensGolden.METRICS) {
            String name = "lens." + point + "." + metric;
            TensorInfo expected = golden.tensor("case1." + name);
            assertThat(file.tensor(name).shape()).as(name).isEqualTo(expected.shape());
            assertThat(file.tensor(name).dtype()).as(name).isEqualTo(expected.dtype());
          }
          LensGolden.compare(golden, "case1.lens." + point + ".", file, "lens." + point + ".");
        }
      }
    }
  }

  @Test
  void shouldWriteOnlyWhatIsAskedForWhenMetricsAreNamed() throws IOException {
    new CheckpointFolder(folder).write();
    Path output = folder.resolve("out.safetensors");
    CaptureLensOptions few =
        new CaptureLensOptions("mlp_output", "entropy, targets", "fast", 5, null);
    CaptureRun.run(options(folder, new int[] {3, 5}, 0, few, output));
    try (SafetensorsFile file = SafetensorsFile.open(output)) {
      assertThat(file.tensors())
          .extracting(TensorInfo::name)
          .filteredOn(name -> name.startsWith("lens."))
          .containsExactlyInAnyOrder(
              "lens.mlp_output.entropy",
              "lens.mlp_output.target_logit",
              "lens.mlp_output.target_logprob",
              "lens.mlp_output.target_rank");
      // The last row of a prompt alone has no token that came next.
      int[] ranks = Golden.integers(file, "lens.mlp_output.target_rank");
      assertThat(ranks).hasSize(2 * 2);
      assertThat(ranks[0]).isPositive();
      assertThat(ranks[1]).isZero();
    }
  }

  @Test
  void shouldNameTheOptionWhenItIsWrong() throws IOException {
    new CheckpointFolder(folder).write();
    refused(new CaptureLensOptions("residual", "all", "exact", 5, null), "--lens: 'residual'");
    refused(new CaptureLensOptions("all", "entropie", "exact", 5, null), "--metrics: 'entropie'");
    refused(new CaptureLensOptions("all", "all", "quick", 5, null), "--accuracy 'quick'");
    refused(new CaptureLensOptions("all", "all", "fast", 0, null), "--top-k is 0");
    refused(new CaptureLensOptions("all", "all", "fast", 49, null), "k is 49");
  }

  private void refused(CaptureLensOptions lens, String message) {
    Path output = folder.resolve("out.safetensors");
    assertThatThrownBy(() -> CaptureRun.run(options(folder, new int[] {3}, 0, lens, output)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThat(output).doesNotExist();
  }

  private static CaptureOptions options(
      Path model, int[] prompt, int newTokens, CaptureLensOptions lens, Path output) {
    String ids = Arrays.stream(prompt).mapToObj(String::valueOf).collect(Collectors.joining(","));
    return new CaptureOptions(
        model,
        null,
        null,
        ids,
        newTokens,
        true,
        "residual_post",
        "all",
        "all",
        "float32",
        1,
        List.of(),
        0,
        false,
        null,
        lens,
        output);
  }
}
