package io.lensflow.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.Setting;
import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Comparison;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadFiguresIT {
  @TempDir Path folder;

  @Test
  void shouldMeasureTimeAndMemoryInAProcessOfTheirOwn() throws Exception {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);

    List<Finding> findings =
        new LoadFigures().measure(new Setting(folder, new Comparison(1), false, line -> {}));

    assertThat(findings)
        .extracting(finding -> finding.figure().name())
        .containsExactly("load-seconds-per-gb", "load-peak-over-weights-mb");
    assertThat(findings.get(0).figure().value()).isPositive();
    // A tiny model's process holds a JVM and the native library, and no more.
    assertThat(findings.get(1).figure().value()).isBetween(50.0, 500.0);
  }
}
