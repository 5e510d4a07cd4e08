package io.lensflow.engine.model;

import io.lensflow.engine.DType;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.List;

/**
 * How the new tokens of a step's sequences lie side by side as N rows: token ids, absolute
 * positions, rows of the pool, and what each sequence attends to. Linear layers see N rows at once;
 * attention goes sequence by sequence.
 */
final class StepLayout implements AutoCloseable {
  /** What the attention kernel is told about a sequence: first row, t, first pool row, s. */
  private static final int SPAN_FIELDS = 4;

  private final int rowCount;
  private final int[] firstRows;
  private final Tensor ids;
  private final TransformerKernels.StepArguments arguments;
  private final long[] logitRows;

  StepLayout(
      List<StepInput> inputs,
      TensorKernels tensors,
      TransformerKernels kernels,
      Tensor frequencies,
      DType dtype) {
    int b = inputs.size();
    firstRows = new int[b];
    int n = 0;
    int logitCount = 0;
    for (int i = 0; i < b; i++) {
      firstRows[i] = n;
      n += inputs.get(i).tokenIds().length;
      logitCount += logitCount(inputs.get(i));
    }
    rowCount = n;
    logitRows = new long[logitCount];
    long[] tokens = new long[n];
    long[] positions = new long[n];
    long[] poolRows = new long[n];
    long[] spans = new long[SPAN_FIELDS * b];
    int logitRow = 0;
    for (int i = 0; i < b; i++) {
      StepInput input = inputs.get(i);
      RunningSequence sequence = (RunningSequence) input.sequence();
      int t = input.tokenIds().length;
      int first = firstRows[i];
      for (int j = 0; j < t; j++) {
        tokens[first + j] = input.tokenIds()[j];
        positions[first + j] = sequence.length() + j;
        poolRows[first + j] = sequence.poolStart() + sequence.length() + j;
      }
      spans[SPAN_FIELDS * i] = first;
      spans[SPAN_FIELDS * i + 1] = t;
      spans[SPAN_FIELDS * i + 2] = sequence.poolStart();
      spans[SPAN_FIELDS * i + 3] = sequence.length() + t;
      for (int j = t - logitCount(input); j < t; j++) {
        logitRows[logitRow++] = first + j;
      }
    }
    ids = tensors.integers(tokens);
    try (Tensor at = tensors.integers(positions)) {
      arguments =
          new TransformerKernels.StepArguments(
              kernels.rotation(at, frequencies),
              tensors.integers(poolRows),
              Argument.of(spans),
              masks(inputs, tensors, kernels, dtype));
    }
  }

  private static int logitCount(StepInput input) {
    return switch (input.logits()) {
      case NONE -> 0;
      case LAST -> 1;
      case ALL -> input.tokenIds().length;
    };
  }

  /** A mask is needed only by a chunk that follows cached tokens; the rest is plainly causal. */
  private static Argument masks(
      List<StepInput> inputs, TensorKernels tensors, TransformerKernels kernels, DType dtype) {
    List<Tensor> masks = new ArrayList<>();
    try {
      for (StepInput input : inputs) {
        int t = input.tokenIds().length;
        int cached = input.sequence().length();
        masks.add(
            t > 1 && cached > 0
                ? kernels.causalMask(t, cached + t, dtype)
                : tensors.empty(dtype, 0));
      }
      return Argument.of(masks);
    } finally {
      masks.forEach(Tensor::close);
    }
  }

  /** N. */
  int rowCount() {
    return rowCount;
  }

  /** The first row of the i-th input. */
  int firstRow(int i) {
    return firstRows[i];
  }

  /** Token ids [N]. */
  Tensor ids() {
    return ids;
  }

  TransformerKernels.StepArguments arguments() {
    return arguments;
  }

  /** Rows that go through the head, in the order of the inputs. */
  long[] logitRows() {
    return logitRows;
  }

  @Override
  public void close() {
    ids.close();
    arguments.rotation().close();
    arguments.poolRows().close();
    arguments.spans().close();
    arguments.masks().close();
  }
}
