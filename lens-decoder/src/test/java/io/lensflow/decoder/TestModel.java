package io.lensflow.decoder;

import io.lensflow.decoder.batch.RowDecoder;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RopeConfig;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A model of {@value #LAYERS} layers whose head is the identity: the D values of a row are its V
 * logits, so that a test can write down what must come out. Float32 rows only.
 */
public final class TestModel implements RowDecoder {
  public static final int LAYERS = 3;

  /** D and V. */
  public static final int SIZE = 4;

  public static final String NAME = "test-model";
  public static final String REVISION = "r1";
  public static final String TOKENIZER_HASH = "t1";

  /** A row that starts with this value makes the head throw. */
  public static final float POISON = -666f;

  private final List<LensMetrics> asked = new CopyOnWriteArrayList<>();
  private volatile boolean broken;

  /** From now on every batch fails, as on a device in a sticky error. */
  public void breakDown() {
    broken = true;
  }

  @Override
  public ModelConfig config() {
    return shape();
  }

  /** L, D, V and the rest. */
  public static ModelConfig shape() {
    return new ModelConfig(
        "Test",
        LAYERS,
        SIZE,
        1,
        1,
        SIZE,
        SIZE,
        SIZE,
        128,
        1e-5,
        (RopeConfig) null,
        false,
        Set.of());
  }

  @Override
  public String revision() {
    return REVISION;
  }

  @Override
  public LensAccuracy fastest() {
    return LensAccuracy.FAST;
  }

  /** What each batch so far was asked for. */
  public List<LensMetrics> asked() {
    return asked;
  }

  @Override
  public LensRows decode(LensBatch batch, LensMetrics metrics, LensTranslator translator) {
    int n = batch.n();
    if (batch.rows().remaining() != n * SIZE * Float.BYTES) {
      throw new IllegalArgumentException(
          "rows has " + batch.rows().remaining() + " bytes for n = " + n);
    }
    if (broken) {
      throw new IllegalStateException("the device is broken");
    }
    asked.add(metrics);
    TestRows rows = new TestRows(n, metrics);
    for (int row = 0; row < n; row++) {
      float[] logits = row(batch.rows(), row);
      if (logits[0] == POISON) {
        throw new IllegalArgumentException("poison");
      }
      float[] model =
          batch.finalRows() == null ? null : row(batch.finalRows(), batch.finalRowOf()[row]);
      rows.add(row, logits, model, batch.targets());
    }
    return rows.toRows();
  }

  private static float[] row(ByteBuffer rows, int row) {
    float[] values = new float[SIZE];
    rows.asFloatBuffer().get(row * SIZE, values);
    return values;
  }

  /** log Σ exp. */
  public static float logSumExp(float[] logits) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return (float) Math.log(sum);
  }

  @Override
  public void close() {}
}
