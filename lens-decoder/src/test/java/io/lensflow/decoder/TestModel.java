package io.lensflow.decoder;

import io.lensflow.decoder.batch.RowDecoder;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RopeConfig;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.Set;
import java.util.stream.IntStream;

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

  private boolean broken;

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
  public LensRows decode(ByteBuffer rows, DType dtype, int n, int k) {
    if (rows.remaining() != n * SIZE * Float.BYTES) {
      throw new IllegalArgumentException("rows has " + rows.remaining() + " bytes for n = " + n);
    }
    if (broken) {
      throw new IllegalStateException("the device is broken");
    }
    int[] ids = new int[n * k];
    float[] top = new float[n * k];
    float[] probabilities = new float[n * k];
    float[] entropy = new float[n];
    float[] logSumExp = new float[n];
    for (int row = 0; row < n; row++) {
      float[] logits = new float[SIZE];
      rows.asFloatBuffer().get(row * SIZE, logits);
      if (logits[0] == POISON) {
        throw new IllegalArgumentException("poison");
      }
      logSumExp[row] = logSumExp(logits);
      entropy[row] = entropy(logits);
      int[] order =
          IntStream.range(0, SIZE)
              .boxed()
              .sorted(Comparator.comparing((Integer id) -> -logits[id]))
              .mapToInt(Integer::intValue)
              .toArray();
      for (int rank = 0; rank < k; rank++) {
        ids[row * k + rank] = order[rank];
        top[row * k + rank] = logits[order[rank]];
        probabilities[row * k + rank] = (float) Math.exp(logits[order[rank]] - logSumExp[row]);
      }
    }
    return new LensRows(k, ids, top, probabilities, entropy, logSumExp, null, null, null);
  }

  /** log Σ exp. */
  public static float logSumExp(float[] logits) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return (float) Math.log(sum);
  }

  private static float entropy(float[] logits) {
    double logSumExp = logSumExp(logits);
    double entropy = 0;
    for (float logit : logits) {
      entropy -= Math.exp(logit - logSumExp) * (logit - logSumExp);
    }
    return (float) entropy;
  }

  @Override
  public void close() {}
}
