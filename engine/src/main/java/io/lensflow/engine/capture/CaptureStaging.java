package io.lensflow.engine.capture;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Where kernels set rows aside. A pass stages all its rows at every (hook point, layer) that any of
 * its sequences captures, each with one copy by each rank of its own columns; afterwards every
 * sequence takes out its own rows.
 *
 * <p>Per rank and hook point there is one block [slots, rows, columns] in native memory, kept from
 * pass to pass. It grows to the most that a pass has needed; passes are made no longer than {@link
 * #rowsFor} allows, so that all blocks together stay within their bound.
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
  private final int[] rankColumns;
  private final long maxBytes;
  private final Block[] blocks = new Block[POINTS.length];

  /** What the arguments below were made for. */
  private BitSet[] staged = new BitSet[0];

  private int rowCapacity;
  private Argument slots;
  private final Argument[] stages;

  /**
   * @param rankColumns columns of every row that each rank copies; D in all
   * @param maxBytes bound on all blocks
   */
  public CaptureStaging(
      TensorKernels tensors, int layerCount, int[] rankColumns, DType dtype, long maxBytes) {
    this.tensors = tensors;
    this.layerCount = layerCount;
    this.rankColumns = rankColumns.clone();
    this.hiddenSize = Arrays.stream(rankColumns).sum();
    this.dtype = dtype;
    this.maxBytes = maxBytes;
    this.stages = new Argument[rankColumns.length];
  }

  /**
   * Checks that there is room for what a sequence captures.
   *
   * @param rows the fewest that a pass may have
   * @throws IllegalArgumentException if so many rows do not fit
   */
  public void check(SequenceCapture sequence, int rows) {
    long places = places(List.of(sequence));
    long bytes = rows * places * hiddenSize * dtype.bytes();
    if (bytes > maxBytes) {
      throw new IllegalArgumentException(
          "stagingBytes is %d; this capture needs at least %d, for %d places and passes of %d rows"
              .formatted(maxBytes, bytes, places, rows));
    }
  }

  /**
   * How many rows a pass may have that captures for these sequences; 0 if they capture too much to
   * share a pass.
   */
  public int rowsFor(List<SequenceCapture> sequences) {
    long rowBytes = places(sequences) * hiddenSize * dtype.bytes();
    return rowBytes == 0
        ? Integer.MAX_VALUE
        : (int) Math.min(Integer.MAX_VALUE, maxBytes / rowBytes);
  }

  private long places(List<SequenceCapture> sequences) {
    return Arrays.stream(union(sequences)).mapToLong(BitSet::cardinality).sum();
  }

  private BitSet[] union(List<SequenceCapture> sequences) {
    BitSet[] wanted = new BitSet[POINTS.length];
    for (HookPoint point : POINTS) {
      BitSet layers = new BitSet(layerCount);
      sequences.forEach(sequence -> layers.or(sequence.layers(point)));
      wanted[point.ordinal()] = layers;
    }
    return wanted;
  }

  /**
   * Makes room for a pass.
   *
   * @param sequences those with at least one captured row in it
   * @param rows N, rows of the pass, at most {@link #rowsFor}
   */
  public void prepare(List<SequenceCapture> sequences, int rows) {
    BitSet[] wanted = union(sequences);
    if (rows <= rowCapacity && Arrays.equals(wanted, staged)) {
      return;
    }
    forgetArguments();
    fitBlocks(wanted, rows);
    List<List<Tensor>> views = new ArrayList<>();
    for (int rank = 0; rank < stages.length; rank++) {
      views.add(new ArrayList<>());
    }
    long[] index = new long[layerCount * POINTS.length];
    Arrays.fill(index, NOT_STAGED);
    for (HookPoint point : POINTS) {
      int p = point.ordinal();
      int slot = 0;
      for (int layer : wanted[p].stream().toArray()) {
        index[layer * POINTS.length + p] = views.get(0).size();
        for (int rank = 0; rank < stages.length; rank++) {
          views.get(rank).add(blocks[p].views[rank][slot]);
        }
        slot++;
      }
    }
    slots = Argument.of(index);
    for (int rank = 0; rank < stages.length; rank++) {
      stages[rank] = Argument.of(views.get(rank));
    }
    staged = wanted;
  }

  /** Blocks that are too small are made anew; if all together then exceed the bound, all are. */
  private void fitBlocks(BitSet[] wanted, int rows) {
    int capacity = Math.max(rows, rowCapacity);
    long bytes = 0;
    for (int p = 0; p < POINTS.length; p++) {
      int held = blocks[p] == null ? 0 : blocks[p].slots;
      bytes += (long) Math.max(held, wanted[p].cardinality()) * capacity * hiddenSize;
    }
    if (bytes * dtype.bytes() > maxBytes) {
      for (int p = 0; p < POINTS.length; p++) {
        if (blocks[p] != null) {
          blocks[p].close();
          blocks[p] = null;
        }
      }
      capacity = rows;
    }
    rowCapacity = capacity;
    for (int p = 0; p < POINTS.length; p++) {
      int needed = wanted[p].cardinality();
      if (needed > 0
          && (blocks[p] == null || blocks[p].slots < needed || blocks[p].rows < capacity)) {
        if (blocks[p] != null) {
          blocks[p].close();
        }
        blocks[p] = new Block(needed, capacity);
      }
    }
  }

  /** Per layer and hook point the index of its stage, as kernels take it. */
  public Argument slots() {
    return slots;
  }

  /** All stages of a rank, as kernels take them. */
  public Argument stages(int rank) {
    return stages[rank];
  }

  /**
   * Copies neighbouring rows of the pass that just ran.
   *
   * @param row the first of them
   * @param count how many
   * @param target where they go, as [count, D] from byte {@code at} on
   */
  void copy(HookPoint point, int layer, int row, int count, ByteBuffer target, int at) {
    int slot = staged[point.ordinal()].get(0, layer).cardinality();
    Block block = blocks[point.ordinal()];
    if (rankColumns.length == 1) {
      int rowBytes = hiddenSize * dtype.bytes();
      target.put(at, block.bytes[0][slot], row * rowBytes, count * rowBytes);
      return;
    }
    int to = at;
    for (int i = 0; i < count; i++) {
      for (int rank = 0; rank < rankColumns.length; rank++) {
        int segment = rankColumns[rank] * dtype.bytes();
        target.put(to, block.bytes[rank][slot], (row + i) * segment, segment);
        to += segment;
      }
    }
  }

  private void forgetArguments() {
    if (slots != null) {
      slots.close();
      slots = null;
    }
    for (int rank = 0; rank < stages.length; rank++) {
      if (stages[rank] != null) {
        stages[rank].close();
        stages[rank] = null;
      }
    }
    staged = new BitSet[0];
  }

  @Override
  public void close() {
    forgetArguments();
    for (Block block : blocks) {
      if (block != null) {
        block.close();
      }
    }
  }

  /** The stages of one hook point, of all ranks. */
  private final class Block implements AutoCloseable {
    private final int slots;
    private final int rows;
    private final Tensor[][] views;
    private final ByteBuffer[][] bytes;

    Block(int slots, int rows) {
      this.slots = slots;
      this.rows = rows;
      this.views = new Tensor[rankColumns.length][slots];
      this.bytes = new ByteBuffer[rankColumns.length][slots];
      for (int rank = 0; rank < rankColumns.length; rank++) {
        try (Tensor all = tensors.empty(dtype, (long) slots * rows, rankColumns[rank])) {
          for (int slot = 0; slot < slots; slot++) {
            views[rank][slot] = tensors.rows(all, (long) slot * rows, rows);
            bytes[rank][slot] = views[rank][slot].bytes();
          }
        }
      }
    }

    @Override
    public void close() {
      for (Tensor[] rank : views) {
        for (Tensor view : rank) {
          view.close();
        }
      }
    }
  }
}
