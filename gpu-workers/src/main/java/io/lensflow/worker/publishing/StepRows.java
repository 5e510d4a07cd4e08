package io.lensflow.worker.publishing;

import io.lensflow.engine.capture.CapturedRows;
import java.util.List;

/**
 * Rows that one step captured of one run, with the tokens around them. The receiver owns the
 * buffers.
 *
 * @param firstPosition absolute position of the step's first token
 * @param tokenIds [T] tokens that the step consumed
 * @param nextTokenId the token that came after the last of them; null after a prefill-only request
 * @param logits [V] of the last position; empty where the head did not run
 * @param rows captured rows, one entry per hook point; may be empty
 * @param finalRows {@code RESIDUAL_POST} of layer L−1 at the same positions, or null
 */
public record StepRows(
    int firstPosition,
    int[] tokenIds,
    Integer nextTokenId,
    float[] logits,
    List<CapturedRows> rows,
    CapturedRows finalRows) {
  /** Token at an absolute position of the step. */
  int tokenAt(int position) {
    return tokenIds[position - firstPosition];
  }

  /** Token that came after an absolute position of the step, or null. */
  Integer tokenAfter(int position) {
    int next = position - firstPosition + 1;
    return next < tokenIds.length ? (Integer) tokenIds[next] : nextTokenId;
  }

  /** Whether the head ran at an absolute position. */
  boolean hasLogits(int position) {
    return logits.length > 0 && position == firstPosition + tokenIds.length - 1;
  }

  /** The same without the logits, which are large and soon of no use. */
  StepRows withoutLogits() {
    return new StepRows(firstPosition, tokenIds, nextTokenId, new float[0], rows, finalRows);
  }

  /** Bytes of all buffers. */
  public long bytes() {
    long bytes = finalRows == null ? 0 : finalRows.payload().remaining();
    for (CapturedRows one : rows) {
      bytes += one.payload().remaining();
    }
    return bytes;
  }
}
