package io.lensflow.engine.capture;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Where kernels set rows aside. A step stages all its rows at every (hook point, layer) that any of
 * its sequences captures, each with one copy; afterwards every sequence takes out its own.
 *
 * <p>Per hook point there is one block [slots, rows, D] in native memory, kept from step to step.
 * It grows to the most layers and rows that one step has needed and is bounded by them: L layers of
 * the scheduler's longest step.
 *
 * <p>Not thread-safe.
 */
public final class CaptureStaging implements AutoCloseable {
  private static final HookPoint[] POINTS = HookPoint.values();
  private static final int NOT_STAGED = -1;

  private final TensorKernels tensors;
  private final int layerCount;
  private final int hiddenSize;
  private final DType dtype;
  private final Block[] blocks = new Block[POINTS.length];

  /** What the arguments below were made for. */
  private BitSet[] staged = new BitSet[0];

  private int rowCapacity;
  private Argument stages;
  private final Argument nothing = Argument.of(new long[0]);
  private final Argument[] slots;

  public CaptureStaging(TensorKernels tensors, int layerCount, int hiddenSize, DType dtype) {
    this.tensors = tensors;
    this.layerCount = layerCount;
    this.hiddenSize = hiddenSize;
    this.dtype = dtype;
    this.slots = new Argument[layerCount];
  }

  /**
   * Makes room for a step.
   *
   * @param sequences those with at least one captured row in it
   * @param rows N, rows of the step
   */
  public void prepare(List<SequenceCapture> sequences, int rows) {
    BitSet[] wanted = new BitSet[POINTS.length];
    for (HookPoint point : POINTS) {
      BitSet layers = new BitSet(layerCount);
      sequences.forEach(sequence -> layers.or(sequence.layers(point)));
      wanted[point.ordinal()] = layers;
    }
    if (rows <= rowCapacity && Arrays.equals(wanted, staged)) {
      return;
    }
    rowCapacity = Math.max(rows, rowCapacity);
    forgetArguments();
    List<Tensor> views = new ArrayList<>();
    long[][] index = new long[layerCount][POINTS.length];
    for (long[] layer : index) {
      Arrays.fill(layer, NOT_STAGED);
    }
    for (HookPoint point : POINTS) {
      int p = point.ordinal();
      int needed = wanted[p].cardinality();
      if (needed == 0) {
        continue;
      }
      if (blocks[p] == null || blocks[p].slots < needed || blocks[p].rows < rowCapacity) {
        if (blocks[p] != null) {
          blocks[p].close();
        }
        blocks[p] = new Block(needed, rowCapacity);
      }
      int slot = 0;
      for (int layer = wanted[p].nextSetBit(0);
          layer >= 0;
          layer = wanted[p].nextSetBit(layer + 1)) {
        index[layer][p] = views.size();
        views.add(blocks[p].views[slot++]);
      }
    }
    stages = Argument.of(views);
    for (int layer = 0; layer < layerCount; layer++) {
      boolean any = Arrays.stream(index[layer]).anyMatch(slot -> slot != NOT_STAGED);
      slots[layer] = any ? Argument.of(index[layer]) : nothing;
    }
    staged = wanted;
  }

  /** Per hook point the index of a layer's stage, as kernels take it. */
  public Argument slots(int layer) {
    return slots[layer];
  }

  /** All stages, as kernels take them. */
  public Argument stages() {
    return stages;
  }

  /**
   * What a sequence captured in the step that just ran, one entry per hook point of its plan.
   *
   * @param firstRow the sequence's first row in the step
   * @param firstPosition the absolute position of that row
   * @param positions the captured positions, ascending
   */
  public List<CapturedRows> rows(
      SequenceCapture sequence, int firstRow, int firstPosition, int[] positions) {
    List<CapturedRows> captured = new ArrayList<>();
    int[] layers = sequence.plan().layers().stream().mapToInt(Integer::intValue).toArray();
    for (HookPoint point : sequence.plan().hookPoints()) {
      captured.add(take(point, layers, firstRow - firstPosition, positions));
    }
    return captured;
  }

  /** The final row of each captured position, or null if the plan does not ask for it. */
  public CapturedRows finalRows(
      SequenceCapture sequence, int firstRow, int firstPosition, int[] positions) {
    if (!sequence.plan().finalRow()) {
      return null;
    }
    int[] last = {sequence.lastLayer()};
    return take(HookPoint.RESIDUAL_POST, last, firstRow - firstPosition, positions);
  }

  private CapturedRows take(HookPoint point, int[] layers, int rowOfPositionZero, int[] positions) {
    int rowBytes = hiddenSize * dtype.bytes();
    int total = Math.multiplyExact(Math.multiplyExact(layers.length, positions.length), rowBytes);
    ByteBuffer payload = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    for (int layer : layers) {
      if (positions.length == 0) {
        break;
      }
      int slot = staged[point.ordinal()].get(0, layer).cardinality();
      ByteBuffer stage = blocks[point.ordinal()].bytes[slot];
      for (int from = 0; from < positions.length; ) {
        int to = from + 1;
        while (to < positions.length && positions[to] == positions[to - 1] + 1) {
          to++;
        }
        int at = (rowOfPositionZero + positions[from]) * rowBytes;
        int count = (to - from) * rowBytes;
        payload.put(payload.position(), stage, at, count);
        payload.position(payload.position() + count);
        from = to;
      }
    }
    return new CapturedRows(point, layers, positions, dtype, hiddenSize, payload.flip());
  }

  private void forgetArguments() {
    if (stages != null) {
      stages.close();
      stages = null;
    }
    for (int layer = 0; layer < layerCount; layer++) {
      if (slots[layer] != null && slots[layer] != nothing) {
        slots[layer].close();
      }
      slots[layer] = null;
    }
    staged = new BitSet[0];
  }

  @Override
  public void close() {
    forgetArguments();
    nothing.close();
    for (Block block : blocks) {
      if (block != null) {
        block.close();
      }
    }
  }

  /** The stages of one hook point. */
  private final class Block implements AutoCloseable {
    private final int slots;
    private final int rows;
    private final Tensor[] views;
    private final ByteBuffer[] bytes;

    Block(int slots, int rows) {
      this.slots = slots;
      this.rows = rows;
      this.views = new Tensor[slots];
      this.bytes = new ByteBuffer[slots];
      try (Tensor all = tensors.empty(dtype, (long) slots * rows, hiddenSize)) {
        for (int slot = 0; slot < slots; slot++) {
          views[slot] = tensors.rows(all, (long) slot * rows, rows);
          bytes[slot] = views[slot].bytes();
        }
      }
    }

    @Override
    public void close() {
      for (Tensor view : views) {
        view.close();
      }
    }
  }
}
