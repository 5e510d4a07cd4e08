package io.lensflow.decoder.lens;

import io.lensflow.engine.DType;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * At layer L−1 and {@code RESIDUAL_POST} the logit lens <em>is</em> the model. So each such row is
 * compared with what the worker computed: a difference means that rows, checkpoint or kernels are
 * not what they seem. Stateless.
 */
public final class Canary {
  /** Largest difference of top logit or log Σ exp under a float32 head. */
  static final float FLOAT32_TOLERANCE = 1e-3f;

  /** The same under a bfloat16 or float16 head, whose logits near 20 are 0.125 apart. */
  static final float HALF_TOLERANCE = 0.25f;

  /** Tokens per row that the comparison needs: the gap between the first two decides. */
  public static final int TOP_K = 2;

  private Canary() {}

  /**
   * What was compared.
   *
   * @param checked rows that the worker ran its head on
   * @param mismatches of these, how many differ
   * @param firstPosition position of the first mismatch; −1 if none
   */
  public record Report(int checked, int mismatches, int firstPosition) {
    static final Report NONE = new Report(0, 0, -1);
  }

  /**
   * Whether the rows of layer L−1 must go the exact way to be compared: under a float32 head the
   * tolerance is closer than the fast path is.
   */
  public static boolean needsExact(DType dtype) {
    return dtype == DType.FLOAT32;
  }

  /** Whether the chunk holds rows that can be compared. */
  public static boolean appliesTo(ActivationChunk chunk, int modelLayers) {
    return chunk.getHookPoint() == HookPoint.RESIDUAL_POST
        && chunk.getLayers().contains(modelLayers - 1)
        && !chunk.getModelTopIds().isEmpty()
        && !chunk.getModelTopLogits().isEmpty()
        && !chunk.getModelLogSumExps().isEmpty();
  }

  /**
   * Compares the rows of layer L−1.
   *
   * @param table of the untranslated lens, with k ≥ {@link #TOP_K} unless V is 1
   */
  public static Report compare(
      ActivationChunk chunk, DType dtype, int modelLayers, LensTable table) {
    if (!appliesTo(chunk, modelLayers)) {
      return Report.NONE;
    }
    int positions = chunk.getPositions().size();
    int firstRow = chunk.getLayers().indexOf(modelLayers - 1) * positions;
    int checked = 0;
    int mismatches = 0;
    int first = -1;
    for (int i = 0; i < positions; i++) {
      Integer id = chunk.getModelTopIds().get(i);
      Float logit = chunk.getModelTopLogits().get(i);
      Float logSumExp = chunk.getModelLogSumExps().get(i);
      if (id == null || logit == null || logSumExp == null) {
        continue;
      }
      checked++;
      int row = firstRow + i;
      if (differs(table, row, id, logit, logSumExp, tolerance(chunk, dtype, row))) {
        mismatches++;
        first = first < 0 ? chunk.getPositions().get(i) : first;
      }
    }
    return new Report(checked, mismatches, first);
  }

  private static boolean differs(
      LensTable table, int row, int id, float logit, float logSumExp, float tolerance) {
    // Negated, so that a NaN of the worker's counts as a mismatch.
    if (!(Math.abs(table.topLogit(row, 0) - logit) <= tolerance)
        || !(Math.abs(table.logSumExp(row) - logSumExp) <= tolerance)) {
      return true;
    }
    return table.topId(row, 0) != id
        && (table.k() < TOP_K || table.topLogit(row, 0) - table.topLogit(row, 1) > 2 * tolerance);
  }

  /**
   * The tolerance of the head that the worker ran, told from the row: a request may ask a bfloat16
   * model for float32 rows, which are then exact copies of bfloat16 values.
   */
  private static float tolerance(ActivationChunk chunk, DType dtype, int row) {
    return dtype == DType.FLOAT32 && !isWidened(chunk, row) ? FLOAT32_TOLERANCE : HALF_TOLERANCE;
  }

  /** Whether no value of a float32 row uses more mantissa than float16 and bfloat16 have. */
  private static boolean isWidened(ActivationChunk chunk, int row) {
    int hiddenSize = chunk.getShape().get(2);
    ByteBuffer payload = chunk.getPayload().duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int base = payload.position() + row * hiddenSize * Float.BYTES;
    for (int d = 0; d < hiddenSize; d++) {
      if ((payload.getInt(base + d * Float.BYTES) & 0x1fff) != 0) {
        return false;
      }
    }
    return true;
  }
}
