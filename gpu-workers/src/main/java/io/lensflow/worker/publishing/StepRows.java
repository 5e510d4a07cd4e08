package io.lensflow.worker.publishing;

import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.lens.HeadSummary;
import java.util.List;

/**
 * Rows that one step captured of one run, with the tokens around them. The receiver owns the
 * buffers.
 *
 * @param firstPosition absolute position of the step's first token
 * @param tokenIds [T] tokens that the step consumed
 * @param nextTokenId the token that came after the last of them; null after a prefill-only request
 * @param head what the model's own head said at the last position; null where it did not run
 * @param rows captured rows, one entry per hook point; may be empty
 * @param finalRows {@code RESIDUAL_POST} of layer L−1 at the same positions, or null
 */
public record StepRows(
    int firstPosition,
    int[] tokenIds,
    Integer nextTokenId,
    HeadSummary head,
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

  /** What the head said at an absolute position, or null. */
  HeadSummary headAt(int position) {
    return position == firstPosition + tokenIds.length - 1 ? head : null;
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
