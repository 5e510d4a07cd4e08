package io.lensflow.bench.steering;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.Setting;
import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Comparison;
import io.lensflow.cli.steering.DataFile;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuildGemmShareIT {
  @TempDir Path folder;

  @Test
  void shouldBuildThroughTheWholeSystem() throws Exception {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);
    Finding finding =
        new BuildGemmShare(() -> new DataFile("sums", items()))
            .measure(new Setting(folder, new Comparison(1), false, line -> {}))
            .get(0);
    assertThat(finding.figure().samples()).hasSize(1);
    assertThat(finding.figure().value()).isBetween(1e-6, 1.0);
    assertThat(finding.says()).startsWith("40 items of sums, ");
  }

  /** Items whose matching answers are (A) and (B) in turns. */
  private static String items() {
    return IntStream.range(0, 40)
        .mapToObj(
            i ->
                "{\"question\": \"%d + 1?\", \"answer_matching_behavior\": \" (%s)\", \"answer_not_matching_behavior\": \" (%s)\"}"
                    .formatted(i, i % 2 == 0 ? "A" : "B", i % 2 == 0 ? "B" : "A"))
        .collect(Collectors.joining("\n"));
  }
}
