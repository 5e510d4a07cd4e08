package io.lensflow.engine.lens.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.engine.DType;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.CheckpointFolder;
import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.VectorReader;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.lens.TranslatorInfo;
import io.lensflow.engine.lens.TranslatorWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every figure of the report, against the same computed in double precision. */
class HeldOutReportTest {
  private static final int D = 16;
  private static final int V = 48;
  private static final int TRAINING = 300;
  private static final int HELD_OUT = 70;

  @TempDir private Path folder;
  private final Random random = new Random(5);
  private final double[][] x = new double[TRAINING + HELD_OUT][D];
  private final double[][] y = new double[TRAINING + HELD_OUT][D];
  private float[] norm;
  private float[] head;

  @BeforeEach
  void write() throws IOException {
    new CheckpointFolder(folder).write();
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("model.safetensors"))) {
      norm = VectorReader.read(file, "model.norm.weight");
      head = VectorReader.read(file, "lm_head.weight");
    }
    for (int row = 0; row < x.length; row++) {
      for (int d = 0; d < D; d++) {
        x[row][d] = (float) random.nextGaussian();
      }
      for (int d = 0; d < D; d++) {
        y[row][d] = (float) (0.5 * x[row][d] - x[row][(d + 3) % D] + (d == 2 ? 2 : 0));
      }
    }
  }

  @Test
  void shouldMeasureEachLensAsItIsDefined() throws IOException {
    LayerReport report = report();

    assertThat(report.layer()).isZero();
    assertThat(report.rows()).isEqualTo(HELD_OUT);
    assertClose(report.plain(), score(row -> x[row]));
    // The rows follow a linear map; only the penalty stands between.
    assertThat(report.fitted().kl()).isLessThan(1e-5);
    assertThat(report.fitted().top1()).isEqualTo(1);
    double[] distance = new double[D];
    for (int row = 0; row < TRAINING; row++) {
      for (int d = 0; d < D; d++) {
        distance[d] += (y[row][d] - x[row][d]) / TRAINING;
      }
    }
    assertClose(
        report.biasOnly(),
        score(
            row -> {
              double[] moved = x[row].clone();
              Arrays.setAll(moved, d -> x[row][d] + distance[d]);
              return moved;
            }));
    double[] mean = new double[V];
    for (int row = 0; row < TRAINING; row++) {
      double[] logP = logProbabilities(y[row]);
      for (int id = 0; id < V; id++) {
        mean[id] += Math.exp(logP[id]) / TRAINING;
      }
    }
    double[] logMean = Arrays.stream(mean).map(Math::log).toArray();
    assertClose(report.unigram(), scoreOf(row -> logMean));
  }

  private LayerReport report() throws IOException {
    Path file = folder.resolve("lens.safetensors");
    TranslatorInfo info =
        new TranslatorInfo(
            "own", TranslatorInfo.Kind.AFFINE, "tiny", "", HookPoint.RESIDUAL_POST, "", "", "");
    try (TranslatorFit fit = new TranslatorFit(D, 1)) {
      fit.add(block(0, TRAINING));
      try (FittedLayer layer = fit.solve(0)) {
        TranslatorWriter writer = new TranslatorWriter(info, D);
        writer.add(0, layer.weightBytes(), layer.biasBytes());
        writer.write(file);
        return compare(file, layer);
      }
    }
  }

  private LayerReport compare(Path file, FittedLayer layer) throws IOException {
    List<HeldOutReport.Sample> samples = new ArrayList<>();
    int unigramTop;
    try (UnigramLens unigram = UnigramLens.load(folder, 1)) {
      PairedRows training = block(0, TRAINING);
      unigram.add(training.finalRows(), training.dtype(), training.n());
      assertThat(unigram.rows()).isEqualTo(TRAINING);
      for (int from = TRAINING; from < x.length; from += 20) {
        PairedRows rows = block(from, Math.min(x.length, from + 20));
        samples.add(
            new HeldOutReport.Sample(rows, unigram.kl(rows.finalRows(), rows.dtype(), rows.n())));
      }
      unigramTop = unigram.topId();
    }
    int[] done = new int[1];
    try (LensHead lens = LensHead.load(folder, new LensHeadOptions(64, 16, 1));
        LensTranslator fitted = LensTranslator.load(file, lens.config(), "tiny", null);
        HeldOutReport report = new HeldOutReport(lens, fitted, Map.of(0, layer))) {
      List<LayerReport> reports = report.compare(samples, unigramTop, count -> done[0] = count);
      assertThat(done[0]).isEqualTo(samples.size());
      assertThat(reports).hasSize(1);
      return reports.get(0);
    }
  }

  private PairedRows block(int from, int to) {
    TreeMap<Integer, ByteBuffer> layers = new TreeMap<>();
    layers.put(0, bytes(Arrays.copyOfRange(x, from, to)));
    return new PairedRows(DType.FLOAT32, to - from, layers, bytes(Arrays.copyOfRange(y, from, to)));
  }

  private static ByteBuffer bytes(double[][] rows) {
    ByteBuffer bytes =
        ByteBuffer.allocate(rows.length * D * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (double[] row : rows) {
      for (double value : row) {
        bytes.putFloat((float) value);
      }
    }
    return bytes.flip();
  }

  /** What stands for a held-out row. */
  private interface Lens {
    double[] of(int row);
  }

  private LensScore score(Lens rows) {
    return scoreOf(row -> logProbabilities(rows.of(row)));
  }

  private LensScore scoreOf(Lens logProbabilities) {
    double kl = 0;
    int same = 0;
    for (int row = TRAINING; row < x.length; row++) {
      double[] model = logProbabilities(y[row]);
      double[] lens = logProbabilities.of(row);
      for (int id = 0; id < V; id++) {
        kl += Math.exp(model[id]) * (model[id] - lens[id]) / HELD_OUT;
      }
      same += top(model) == top(lens) ? 1 : 0;
    }
    return new LensScore(kl, (double) same / HELD_OUT);
  }

  private static int top(double[] values) {
    int top = 0;
    for (int id = 1; id < values.length; id++) {
      top = values[id] > values[top] ? id : top;
    }
    return top;
  }

  private double[] logProbabilities(double[] row) {
    double scale = 1 / Math.sqrt(Arrays.stream(row).map(v -> v * v).sum() / D + 1e-5);
    double[] logits = new double[V];
    for (int id = 0; id < V; id++) {
      for (int d = 0; d < D; d++) {
        logits[id] += head[id * D + d] * row[d] * scale * norm[d];
      }
    }
    double logSum = Math.log(Arrays.stream(logits).map(Math::exp).sum());
    return Arrays.stream(logits).map(logit -> logit - logSum).toArray();
  }

  private static void assertClose(LensScore actual, LensScore expected) {
    assertThat(actual.kl()).isCloseTo(expected.kl(), within(1e-4));
    assertThat(actual.top1()).isEqualTo(expected.top1());
  }
}
