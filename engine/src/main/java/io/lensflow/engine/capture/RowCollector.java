package io.lensflow.engine.capture;

import io.lensflow.engine.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The captured rows of one sequence in one step, filled pass by pass.
 *
 * <p>Not thread-safe.
 */
public final class RowCollector {
  private final SequenceCapture sequence;
  private final int[] positions;
  private final List<CapturedRows> rows = new ArrayList<>();
  private final CapturedRows finalRows;
  private int filled;

  /**
   * @param positions the positions that the step captures, ascending
   * @param hiddenSize D
   */
  public RowCollector(SequenceCapture sequence, int[] positions, DType dtype, int hiddenSize) {
    this.sequence = sequence;
    this.positions = positions;
    int[] layers = sequence.plan().layers().stream().mapToInt(Integer::intValue).toArray();
    for (HookPoint point : sequence.plan().hookPoints()) {
      rows.add(empty(point, layers, dtype, hiddenSize));
    }
    finalRows =
        sequence.plan().finalRow()
            ? empty(HookPoint.RESIDUAL_POST, new int[] {sequence.lastLayer()}, dtype, hiddenSize)
            : null;
  }

  private CapturedRows empty(HookPoint point, int[] layers, DType dtype, int hiddenSize) {
    int size =
        Math.multiplyExact(
            Math.multiplyExact(layers.length, positions.length), hiddenSize * dtype.bytes());
    ByteBuffer payload = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    return new CapturedRows(point, layers, positions, dtype, hiddenSize, payload);
  }

  /** Whose rows these are. */
  public SequenceCapture sequence() {
    return sequence;
  }

  /** Whether any of {@code count} positions from {@code first} on is captured. */
  public boolean wants(int first, int count) {
    return within(first + count) > within(first);
  }

  /** How many captured positions lie before a position. */
  private int within(int position) {
    int at = Arrays.binarySearch(positions, position);
    return at >= 0 ? at : -at - 1;
  }

  /**
   * Takes the rows of a pass.
   *
   * @param firstRow the sequence's first row in the pass
   * @param firstPosition the absolute position of that row
   * @param count its rows in the pass
   */
  public void take(CaptureStaging staging, int firstRow, int firstPosition, int count) {
    int end = within(firstPosition + count);
    while (filled < end) {
      int to = filled + 1;
      while (to < end && positions[to] == positions[to - 1] + 1) {
        to++;
      }
      int row = firstRow + positions[filled] - firstPosition;
      for (CapturedRows captured : rows) {
        copy(staging, captured, row, to - filled);
      }
      if (finalRows != null) {
        copy(staging, finalRows, row, to - filled);
      }
      filled = to;
    }
  }

  private void copy(CaptureStaging staging, CapturedRows captured, int row, int count) {
    staging.copy(
        captured.hookPoint(),
        captured.layers(),
        row,
        count,
        captured.payload(),
        filled,
        positions.length);
  }

  /** What was captured, one entry per hook point of the plan. */
  public List<CapturedRows> rows() {
    return rows;
  }

  /** The final row of each captured position, or null if the plan does not ask for it. */
  public CapturedRows finalRows() {
    return finalRows;
  }
}
