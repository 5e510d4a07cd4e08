package io.lensflow.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.Setting;
import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.timing.Comparison;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineShareIT {
  @TempDir Path folder;

  @Test
  void shouldSettleEveryRequestOfTheWholeSystem() throws Exception {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);

    Figure figure =
        new PipelineShare()
            .measure(new Setting(folder, new Comparison(1), false, line -> {}))
            .get(0)
            .figure();

    assertThat(figure.samples()).hasSize(1);
    assertThat(figure.value()).isBetween(1e-4, 1.0);
  }
}
