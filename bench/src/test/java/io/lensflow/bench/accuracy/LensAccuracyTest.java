package io.lensflow.bench.accuracy;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.checkpoint.RandomCheckpoint;
import io.lensflow.bench.checkpoint.Shape;
import io.lensflow.cli.Main;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTargets;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LensAccuracyTest {
  @TempDir private Path folder;

  @Test
  void shouldHoldBothPathsToFloat64WhenTheModelIsSmall() throws IOException {
    new RandomCheckpoint(Shape.TINY, 1).write(folder);
    LensAccuracyTrial trial = new LensAccuracyTrial(folder);
    trial.run(300, pairs -> {});
    assertThat(trial.pairs()).isGreaterThanOrEqualTo(300);
    for (PathAccuracy path : trial.paths()) {
      assertThat(path.broken()).as("%s", path.path()).isEmpty();
      assertThat(path.all())
          .allSatisfy(metric -> assertThat(metric.percentiles().at(1)).isFinite());
    }
    assertThat(Main.run("bench", "lens-accuracy", "--model", folder.toString(), "--pairs", "50"))
        .isZero();
  }

  @Test
  void shouldSayWhichPromiseIsBrokenWhenAProbabilityIsOff() {
    PathAccuracy exact = new PathAccuracy(LensAccuracy.EXACT);
    LensRows rows =
        new LensRows(
            1,
            new int[] {3},
            new float[] {0f},
            new float[] {0.5001f},
            new float[] {(float) Math.log(2)},
            new float[] {(float) Math.log(2)},
            new LensTargets(
                1, new int[] {3}, new float[1], new float[] {-(float) Math.log(2)}, new int[] {1}),
            null,
            null);
    double ln2 = Math.log(2);
    exact.add(
        rows,
        new ReferenceLens.Metrics(
            new double[] {ln2, ln2, 0, 1, 0, 0}, new double[] {0, 0}, new double[] {0}),
        0);
    assertThat(exact.broken()).containsExactly("probability");
  }

  @Test
  void shouldOrderDeviationsBySizeWhenAskedForPercentiles() {
    Deviations deviations = new Deviations("any");
    for (int i = 0; i < 2000; i++) {
      deviations.add(i % 2 == 0 ? i : -i, 1997);
    }
    assertThat(deviations.percentiles().at(0.5)).isEqualTo(999);
    assertThat(deviations.percentiles().at(1)).isEqualTo(1999);
    assertThat(deviations.broken()).isEqualTo(2);
    deviations.add(Double.NaN, 1);
    assertThat(deviations.percentiles().at(1)).isInfinite();
  }
}
