package io.lensflow.engine.lens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.CheckpointFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What belongs to rows, and rows that are unlike others. */
class LensBatchTest {
  private static final int D = 16;
  private static final int V = 48;
  private static final LensHeadOptions BLOCKS = new LensHeadOptions(3, 11, 2);

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"80, 1", "-80, 1", "3000, 2", "-3000, 2", "80, 9", "-3000, 9"})
  void shouldSumExponentialsWhenTheyLeaveFloat32(float size, int n) throws IOException {
    // A row of ones is normed to ones, so that every logit is the head's constant times D.
    new CheckpointFolder(folder)
        .constant("model.norm.weight", 1f)
        .constant("lm_head.weight", size / D)
        .write();
    float[] ones = new float[n * D];
    Arrays.fill(ones, 1f);
    try (LensHead head = LensHead.load(folder, BLOCKS)) {
      LensRows rows = head.decode(batch(ones), LensMetrics.summary(2));
      float expected = (float) (size / Math.sqrt(1 + 1e-5) + Math.log(V));
      for (int row = 0; row < n; row++) {
        assertThat(rows.logSumExp()[row]).isEqualTo(expected, within(Math.abs(size) * 1e-6f));
        assertThat(rows.entropy()[row]).isEqualTo((float) Math.log(V), within(1e-3f));
        assertThat(rows.topProbabilities()[2 * row]).isEqualTo(1f / V, within(1e-4f));
        assertThat(rows.topIds()[2 * row]).isZero();
      }
    }
  }

  @Test
  void shouldSumExponentialsWhenOneRowLeavesFloat32() throws IOException {
    new CheckpointFolder(folder).constant("model.norm.weight", 100f).write();
    try (LensHead head = LensHead.load(folder, BLOCKS)) {
      LensRows rows = head.decode(batch(random(5)), LensMetrics.summary(V));
      for (int row = 0; row < 5; row++) {
        float[] logits = Arrays.copyOfRange(rows.topLogits(), row * V, (row + 1) * V);
        assertThat(logits[0]).isGreaterThan(90f);
        HeadSummary expected = HeadSummary.of(logits);
        assertThat(rows.logSumExp()[row]).isEqualTo(expected.logSumExp(), within(1e-3f));
      }
    }
  }

  @Test
  void shouldLeaveOtherRowsAloneWhenOneIsNotANumber() throws IOException {
    new CheckpointFolder(folder).write();
    float[] values = random(3);
    try (LensHead head = LensHead.load(folder, BLOCKS)) {
      LensRows clean = head.decode(batch(values), LensMetrics.summary(4));
      values[D + 5] = Float.NaN;
      LensRows spoiled = head.decode(batch(values), LensMetrics.summary(4));
      assertThat(spoiled.logSumExp()[1]).isNaN();
      assertThat(spoiled.entropy()[1]).isNaN();
      for (int row : new int[] {0, 2}) {
        assertThat(spoiled.logSumExp()[row]).isEqualTo(clean.logSumExp()[row]);
        for (int i = row * 4; i < row * 4 + 4; i++) {
          assertThat(spoiled.topIds()[i]).isEqualTo(clean.topIds()[i]);
          assertThat(spoiled.topLogits()[i]).isEqualTo(clean.topLogits()[i]);
        }
      }
    }
  }

  @Test
  void shouldRankEveryTokenWhereItStandsWhenItIsATarget() throws IOException {
    new CheckpointFolder(folder).write();
    try (LensHead head = LensHead.load(folder, BLOCKS)) {
      LensBatch batch = batch(random(4));
      LensRows all = head.decode(batch, LensMetrics.summary(V));
      // Every token of the row's own order, one that is asked for twice, and none.
      int t = V + 2;
      int[] targets = new int[4 * t];
      for (int row = 0; row < 4; row++) {
        System.arraycopy(all.topIds(), row * V, targets, row * t, V);
        targets[row * t + V] = all.topIds()[row * V + 7];
        targets[row * t + V + 1] = -1;
      }
      LensTargets asked =
          head.decode(
                  batch.withTargets(targets),
                  new LensMetrics(0, false, false, t, false, false, LensAccuracy.EXACT))
              .targets();
      for (int row = 0; row < 4; row++) {
        int[] ranks = Arrays.copyOfRange(asked.ranks(), row * t, (row + 1) * t);
        assertThat(Arrays.copyOf(ranks, V)).isEqualTo(IntStream.rangeClosed(1, V).toArray());
        assertThat(ranks[V]).isEqualTo(8);
        assertThat(ranks[V + 1]).isZero();
        assertThat(asked.logits()[row * t + V + 1]).isNaN();
        for (int i = 0; i < V; i++) {
          double p = all.topProbabilities()[row * V + i];
          assertThat(Math.exp(asked.logProbabilities()[row * t + i])).isEqualTo(p, within(1e-6));
        }
      }
      assertThat(asked.ids()).isEqualTo(targets);
    }
  }

  @Test
  void shouldAddUpToTheModelsLogitsWhenTheNormIsFrozen() throws IOException {
    new CheckpointFolder(folder).write();
    float[] parts = random(2);
    float[] sum = new float[D];
    for (int i = 0; i < D; i++) {
      sum[i] = parts[i] + parts[D + i];
    }
    LensMetrics everyToken = new LensMetrics(0, false, false, V, false, false, LensAccuracy.EXACT);
    int[] ids = IntStream.range(0, 2 * V).map(i -> i % V).toArray();
    try (LensHead head = LensHead.load(folder, BLOCKS)) {
      LensBatch contributions =
          batch(parts).withTargets(ids).withFinalRows(LensHeadTest.bytes(sum), 0, 0);
      float[] frozen = head.decode(contributions.withFrozenNorm(), everyToken).targets().logits();
      LensBatch whole = batch(sum).withTargets(Arrays.copyOf(ids, V));
      float[] model = head.decode(whole, everyToken).targets().logits();
      for (int token = 0; token < V; token++) {
        assertThat(frozen[token] + frozen[V + token]).isEqualTo(model[token], within(1e-4f));
      }
    }
  }

  @Test
  void shouldFindNoDistanceWhenTheRowIsTheModelsOwn() throws IOException {
    new CheckpointFolder(folder).write();
    float[] values = random(4);
    LensMetrics divergences = new LensMetrics(0, false, false, 0, true, true, LensAccuracy.FAST);
    try (LensHead head = LensHead.load(folder, BLOCKS)) {
      LensBatch own = batch(values).withFinalRows(LensHeadTest.bytes(values), 0, 1, 2, 3);
      LensRows rows = head.decode(own, divergences);
      assertThat(rows.kl()).containsOnly(new float[] {0, 0, 0, 0}, within(1e-5f));
      assertThat(rows.js()).containsOnly(new float[] {0, 0, 0, 0}, within(1e-5f));
      assertThat(rows.topIds()).isNull();
      assertThat(rows.entropy()).isNull();
    }
  }

  @Test
  void shouldNameWhatIsMissingWhenAMetricNeedsIt() throws IOException {
    new CheckpointFolder(folder).write();
    LensBatch batch = batch(random(2));
    LensMetrics target = new LensMetrics(1, false, false, 1, false, false, LensAccuracy.FAST);
    LensMetrics kl = new LensMetrics(1, false, false, 0, true, false, LensAccuracy.FAST);
    try (LensHead head = LensHead.load(folder, BLOCKS)) {
      assertThatThrownBy(() -> head.decode(batch, target)).hasMessageContaining("targets has no");
      assertThatThrownBy(() -> head.decode(batch.withTargets(1, V), target))
          .hasMessageContaining("targets[1] is 48; it must be -1 … 47");
      assertThatThrownBy(() -> head.decode(batch, kl)).hasMessageContaining("finalRows");
      assertThatThrownBy(
              () -> head.decode(batch.withFinalRows(LensHeadTest.bytes(random(1)), 0, 1), kl))
          .hasMessageContaining("finalRowOf[1] is 1; it must be 0 … 0");
    }
  }

  private static LensBatch batch(float[] values) {
    ByteBuffer bytes = LensHeadTest.bytes(values);
    return LensBatch.of(bytes, DType.FLOAT32, values.length / D);
  }

  private static float[] random(int rows) {
    Random random = new Random(5);
    float[] values = new float[rows * D];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
