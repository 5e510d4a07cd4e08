package io.lensflow.bench.steering;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.Setting;
import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Comparison;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublishToUseIT {
  private static final int PUBLISHES = 3;

  @TempDir Path folder;

  @Test
  void shouldTimeEveryPublishThatCountsThroughTheWholeSystem() throws Exception {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);
    List<Figure> figures =
        new PublishToUse(PUBLISHES)
            .measure(new Setting(folder, new Comparison(1), false, line -> {})).stream()
                .map(Finding::figure)
                .toList();
    assertThat(figures)
        .extracting(Figure::name)
        .containsExactly("publish-to-use-p50-ms", "publish-to-use-p99-ms", "publish-speed-share");
    assertThat(figures.get(0).samples())
        .hasSize(2 * PUBLISHES)
        .allSatisfy(millis -> assertThat(millis).isPositive());
    assertThat(figures.get(2).samples()).hasSize(1);
    assertThat(figures.get(2).value()).isBetween(1e-2, 1e2);
  }
}
