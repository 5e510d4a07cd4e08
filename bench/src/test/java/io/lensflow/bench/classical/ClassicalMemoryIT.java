package io.lensflow.bench.classical;

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

class ClassicalMemoryIT {
  @TempDir Path folder;

  @Test
  void shouldMeasureBothWaysInProcessesOfTheirOwn() throws Exception {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);

    Finding finding =
        new ClassicalMemory(List.of(8, 96))
            .measure(new Setting(folder, new Comparison(1), false, line -> {}))
            .get(0);

    // What a tiny model keeps is nothing beside a heap, so the ratio itself says nothing here.
    assertThat(finding.figure().samples()).hasSize(1);
    assertThat(finding.says()).contains("New tokens 8:", "; 96:", "1500 by the formula");
  }
}
