package io.lensflow.engine.lens.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.engine.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TranslatorFitTest {
  private static final int D = 6;

  /** More than one block, and a rest. */
  private static final int ROWS = 1000;

  /** Far from zero in one dimension, as real residual streams are: their sinks' dimensions. */
  private static final double[] OFFSET = {1000, 0, -3, 0.5, 0, 0};

  private final Random random = new Random(7);

  @Test
  void shouldEqualTheNormalEquationsInDoublePrecision() {
    double[][] x = rows();
    double[][] y = mapped(x);
    try (TranslatorFit fit = new TranslatorFit(D, 1)) {
      feed(fit, x, y, 1, 7, 333, ROWS);
      assertThat(fit.rows(4)).isEqualTo(ROWS);

      double[][] expected = ridge(x, y);
      try (FittedLayer layer = fit.solve(4)) {
        float[] weight = floats(layer.weightBytes());
        float[] bias = floats(layer.biasBytes());
        assertThat(layer.rows()).isEqualTo(ROWS);
        for (int i = 0; i < D; i++) {
          for (int j = 0; j < D; j++) {
            assertThat((double) weight[i * D + j]).isCloseTo(expected[i][j], within(1e-4));
          }
          assertThat((double) bias[i]).isCloseTo(expected[i][D], within(1e-2));
          assertThat((double) floats(layer.meanDistance().bytes())[i])
              .isCloseTo(mean(y, i) - mean(x, i), within(1e-3));
        }
      }
    }
  }

  @Test
  void shouldFindTheMapItselfWhenRowsFollowOne() {
    double[][] x = new double[ROWS][D];
    double[][] y = new double[ROWS][D];
    for (int row = 0; row < ROWS; row++) {
      for (int d = 0; d < D; d++) {
        x[row][d] = random.nextGaussian();
      }
      for (int d = 0; d < D; d++) {
        y[row][d] = x[row][d] + 0.5 * x[row][(d + 1) % D] + d;
      }
    }
    try (TranslatorFit fit = new TranslatorFit(D, 1)) {
      feed(fit, x, y, ROWS);
      try (FittedLayer layer = fit.solve(4)) {
        float[] weight = floats(layer.weightBytes());
        for (int i = 0; i < D; i++) {
          for (int j = 0; j < D; j++) {
            // The penalty is 1e-4 of the variance.
            assertThat(weight[i * D + j]).isCloseTo(j == (i + 1) % D ? 0.5f : 0f, within(2e-4f));
          }
          assertThat(floats(layer.biasBytes())[i]).isCloseTo(i, within(1e-4f));
        }
      }
    }
  }

  @Test
  void shouldTakeRowsOfSeveralTypesAndLayers() {
    double[][] x = rows();
    double[][] y = mapped(x);
    try (TranslatorFit fit = new TranslatorFit(D, 1)) {
      for (int at = 0; at < ROWS; at++) {
        TreeMap<Integer, ByteBuffer> layers = new TreeMap<>();
        layers.put(4, bytes(DType.FLOAT32, x[at]));
        if (at % 2 == 0) {
          layers.put(2, bytes(DType.FLOAT32, y[at]));
        }
        fit.add(new PairedRows(DType.FLOAT32, 1, layers, bytes(DType.FLOAT32, y[at])));
      }
      double[] ones = {1, 1, 1, 1, 1, 1};
      TreeMap<Integer, ByteBuffer> half = new TreeMap<>();
      half.put(4, bytes(DType.BFLOAT16, ones));
      fit.add(new PairedRows(DType.BFLOAT16, 1, half, bytes(DType.BFLOAT16, ones)));

      assertThat(fit.rows(4)).isEqualTo(ROWS + 1);
      assertThat(fit.rows(2)).isEqualTo(ROWS / 2);
      try (FittedLayer same = fit.solve(2)) {
        assertThat(floats(same.weightBytes())).containsOnly(0f);
      }
      fit.solve(4).close();
    }
  }

  @Test
  void shouldRefuseLayersWithoutRowsThatDiffer() {
    try (TranslatorFit fit = new TranslatorFit(D, 1)) {
      double[][] same = new double[5][D];
      feed(fit, same, same, 5);

      assertThatThrownBy(() -> fit.solve(4)).hasMessageContaining("layer 4: 5 rows");
      assertThatThrownBy(() -> fit.solve(3)).hasMessageContaining("layer 3");
    }
  }

  /** Layer 4, in pieces that end at the given rows. */
  private static void feed(TranslatorFit fit, double[][] x, double[][] y, int... ends) {
    int from = 0;
    for (int end : ends) {
      TreeMap<Integer, ByteBuffer> layer = new TreeMap<>();
      layer.put(4, bytes(DType.FLOAT32, Arrays.copyOfRange(x, from, end)));
      fit.add(
          new PairedRows(
              DType.FLOAT32,
              end - from,
              layer,
              bytes(DType.FLOAT32, Arrays.copyOfRange(y, from, end))));
      from = end;
    }
  }

  private double[][] rows() {
    double[][] x = new double[ROWS][D];
    for (double[] row : x) {
      for (int d = 0; d < D; d++) {
        row[d] = (float) (OFFSET[d] + random.nextGaussian() * (d == 1 ? 20 : 1));
      }
    }
    return x;
  }

  private double[][] mapped(double[][] x) {
    double[][] y = new double[ROWS][D];
    for (int row = 0; row < ROWS; row++) {
      for (int d = 0; d < D; d++) {
        y[row][d] = (float) (2 * x[row][d] - x[row][(d + 2) % D] + 5 + 0.1 * random.nextGaussian());
      }
    }
    return y;
  }

  private static double mean(double[][] rows, int d) {
    return Arrays.stream(rows).mapToDouble(row -> row[d]).average().orElseThrow();
  }

  /** [W | b] in double precision: Gauss-Jordan on the centred normal equations. */
  private static double[][] ridge(double[][] x, double[][] y) {
    double[][] system = new double[D][2 * D];
    for (int row = 0; row < x.length; row++) {
      for (int i = 0; i < D; i++) {
        double xi = x[row][i] - mean(x, i);
        for (int j = 0; j < D; j++) {
          system[i][j] += xi * (x[row][j] - mean(x, j));
          system[i][D + j] += xi * (y[row][j] - mean(y, j) - x[row][j] + mean(x, j));
        }
      }
    }
    double diagonal = 0;
    for (int i = 0; i < D; i++) {
      diagonal += system[i][i] / D;
    }
    for (int i = 0; i < D; i++) {
      system[i][i] += TranslatorFit.RIDGE * diagonal;
    }
    for (int pivot = 0; pivot < D; pivot++) {
      double by = system[pivot][pivot];
      for (int j = 0; j < 2 * D; j++) {
        system[pivot][j] /= by;
      }
      for (int i = 0; i < D; i++) {
        double factor = i == pivot ? 0 : system[i][pivot];
        for (int j = 0; j < 2 * D; j++) {
          system[i][j] -= factor * system[pivot][j];
        }
      }
    }
    double[][] solution = new double[D][D + 1];
    for (int i = 0; i < D; i++) {
      solution[i][D] = mean(y, i) - mean(x, i);
      for (int j = 0; j < D; j++) {
        solution[i][j] = system[j][D + i];
        solution[i][D] -= solution[i][j] * mean(x, j);
      }
    }
    return solution;
  }

  private static float[] floats(ByteBuffer bytes) {
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static ByteBuffer bytes(DType dtype, double[]... rows) {
    ByteBuffer bytes =
        ByteBuffer.allocate(rows.length * D * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (double[] row : rows) {
      for (double value : row) {
        int bits = Float.floatToIntBits((float) value);
        if (dtype == DType.FLOAT32) {
          bytes.putInt(bits);
        } else {
          bytes.putShort((short) (bits >>> 16));
        }
      }
    }
    return bytes.flip();
  }
}
