package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.model.PassPlanner.Pass;
import io.lensflow.engine.model.PassPlanner.Slice;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * How the tokens of a pass lie side by side as N rows: ids, absolute positions, rows of the pool,
 * and what each sequence attends to. Linear layers see N rows at once; attention goes sequence by
 * sequence. All ranks read the same layout.
 */
final class StepLayout implements AutoCloseable {
  /** What the attention kernel is told about a sequence: first row, t, first pool row, s. */
  private static final int SPAN_FIELDS = 4;

  private static final int SCATTERED = -1;

  private final int[] firstRows;
  private final int[] logitRows;
  private final Tensor ids;
  private final Tensor headRows;
  private final TransformerKernels.Attention attention;

  /**
   * @param window how many positions a token sees, itself included, in layers that have a window; 0
   *     if none has
   * @param kinds per layer 1 if it has a window, else 0; then 2 if any has, else 1
   * @param spareRow row of the pool for what only fills the pass up
   */
  StepLayout(
      Pass pass,
      int window,
      Argument kinds,
      int spareRow,
      TensorKernels tensors,
      TransformerKernels kernels,
      Tensor frequencies,
      DType dtype) {
    List<Slice> slices = pass.slices();
    int n = pass.rowCount();
    firstRows = new int[slices.size()];
    long[] tokens = new long[n];
    long[] positions = new long[n];
    long[] poolRows = new long[n];
    Arrays.fill(poolRows, spareRow);
    List<Long> wanted = new ArrayList<>();
    logitRows = new int[slices.size()];
    int row = 0;
    for (int i = 0; i < slices.size(); i++) {
      Slice slice = slices.get(i);
      int t = slice.ids().length;
      firstRows[i] = row;
      logitRows[i] = wanted.size();
      for (int j = 0; j < t; j++) {
        tokens[row + j] = slice.ids()[j];
        positions[row + j] = slice.position() + j;
        poolRows[row + j] = slice.sequence().poolRow(slice.position() + j);
        if (slice.logits() == Logits.ALL || (slice.logits() != Logits.NONE && j == t - 1)) {
          wanted.add((long) row + j);
        }
      }
      row += t;
    }
    if (row < n && !wanted.isEmpty()) {
      // A filled-up pass sends a fixed number of rows through the head, too.
      for (long spare = row; wanted.size() < n; spare = Math.min(spare + 1, n - 1)) {
        wanted.add(spare);
      }
    }
    ids = tensors.integers(tokens);
    headRows =
        wanted.isEmpty()
            ? null
            : tensors.integers(wanted.stream().mapToLong(Long::longValue).toArray());
    try (Tensor at = tensors.integers(positions)) {
      attention =
          attention(
              slices,
              kernels.rotation(at, frequencies),
              poolRows,
              window,
              kinds,
              tensors,
              kernels,
              dtype);
    }
  }

  /**
   * What every sequence attends to, in layers without a window and, if there is one, in those with.
   */
  private TransformerKernels.Attention attention(
      List<Slice> slices,
      Tensor rotation,
      long[] poolRows,
      int window,
      Argument kinds,
      TensorKernels tensors,
      TransformerKernels kernels,
      DType dtype) {
    int[] windows = window == 0 ? new int[] {0} : new int[] {0, window};
    long[] spans = new long[SPAN_FIELDS * slices.size() * windows.length];
    List<Tensor> gathers = new ArrayList<>();
    List<Tensor> masks = new ArrayList<>();
    try (Tensor none = tensors.empty(dtype, 0)) {
      int at = 0;
      for (int seen : windows) {
        for (int i = 0; i < slices.size(); i++) {
          Slice slice = slices.get(i);
          int t = slice.ids().length;
          int end = slice.position() + t;
          int start = seen == 0 ? 0 : Math.max(0, slice.position() + 1 - seen);
          int s = end - start;
          int poolStart = slice.sequence().runStart(start, end);
          spans[at++] = firstRows[i];
          spans[at++] = t;
          spans[at++] = poolStart;
          spans[at++] = s;
          gathers.add(
              poolStart == SCATTERED ? tensors.integers(poolRows(slice, start, end)) : null);
          // The one new token of a decode step sees all of them, a prompt that begins is plainly
          // causal; what lies between needs a mask.
          boolean windowed = seen > 0 && s > seen;
          boolean plain = t == 1 || (s == t && !windowed);
          masks.add(plain ? null : kernels.causalMask(t, s, windowed ? seen : 0, dtype));
        }
      }
      return new TransformerKernels.Attention(
          rotation,
          tensors.integers(poolRows),
          kinds,
          Argument.of(spans),
          Argument.of(orElse(gathers, none)),
          Argument.of(orElse(masks, none)));
    } finally {
      gathers.stream().filter(Objects::nonNull).forEach(Tensor::close);
      masks.stream().filter(Objects::nonNull).forEach(Tensor::close);
    }
  }

  private static List<Tensor> orElse(List<Tensor> tensors, Tensor none) {
    return tensors.stream().map(tensor -> tensor == null ? none : tensor).toList();
  }

  private static long[] poolRows(Slice slice, int start, int end) {
    long[] rows = new long[end - start];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = slice.sequence().poolRow(start + i);
    }
    return rows;
  }

  /** The first row of the i-th slice. */
  int firstRow(int i) {
    return firstRows[i];
  }

  /** The i-th slice's first row among those that go through the head. */
  int logitRow(int i) {
    return logitRows[i];
  }

  /** Token ids [N]. */
  Tensor ids() {
    return ids;
  }

  /** Rows that go through the head [M], or null for none. */
  Tensor headRows() {
    return headRows;
  }

  TransformerKernels.Attention attention() {
    return attention;
  }

  @Override
  public void close() {
    ids.close();
    if (headRows != null) {
      headRows.close();
    }
    attention.rotation().close();
    attention.poolRows().close();
    attention.spans().close();
    attention.gathers().close();
    attention.masks().close();
  }
}
