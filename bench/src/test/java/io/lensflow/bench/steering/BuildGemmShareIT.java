package io.lensflow.bench.steering;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.Setting;
import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Comparison;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuildGemmShareIT {
  @TempDir Path folder;

  @Test
  void shouldBuildThroughTheWholeSystem() throws Exception {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);
    Finding finding =
        new BuildGemmShare()
            .measure(new Setting(folder, new Comparison(1), false, line -> {}))
            .get(0);
    assertThat(finding.figure().samples()).hasSize(1);
    assertThat(finding.figure().value()).isBetween(1e-6, 1.0);
    assertThat(finding.says()).startsWith("40 items of ");
  }
}
