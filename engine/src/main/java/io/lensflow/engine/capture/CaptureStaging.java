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
 * <p>Per rank and hook point there is one block in native memory, kept from pass to pass. It grows
 * to the most that a pass has needed; passes are made no longer than {@link #rowsFor} allows, so
 * that all blocks together stay within their bound.
 *
 * <p>Prepared and read by the engine's thread while no rank runs; {@link #fetch} is called by
 * ranks.
 */
public final class CaptureStaging implements AutoCloseable {
  private static final HookPoint[] POINTS = HookPoint.values();
  private static final int NOT_STAGED = -1;

  private final List<TensorKernels> ranks;
  private final int layerCount;
  private final int hiddenSize;
  private final DType dtype;
  private final int[] rankColumns;
  private final long maxBytes;

  /** By hook point and rank; null where nothing was captured yet. */
  private final StagingBlock[][] blocks = new StagingBlock[POINTS.length][];

  /** The places that the arguments below were made for, and the slot of each in its block. */
  private BitSet staged = new BitSet();

  private final int[] slotOfPlace;
  private final int[] slotCounts = new int[POINTS.length];

  private int rowCapacity;
  private Argument slots;
  private final Argument[] stages;

  /**
   * @param ranks allocate on the ranks' devices, in order
   * @param rankColumns columns of every row that each rank copies; D in all
   * @param maxBytes bound on all blocks; no more than 2 GiB are used, since a block's bytes are
   *     counted by an int
   */
  public CaptureStaging(
      List<TensorKernels> ranks, int layerCount, int[] rankColumns, DType dtype, long maxBytes) {
    this.ranks = ranks;
    this.layerCount = layerCount;
    this.rankColumns = rankColumns.clone();
    this.hiddenSize = Arrays.stream(rankColumns).sum();
    this.dtype = dtype;
    this.maxBytes = Math.min(maxBytes, Integer.MAX_VALUE);
    this.stages = new Argument[rankColumns.length];
    this.slotOfPlace = new int[layerCount * POINTS.length];
  }

  /**
   * Checks that there is room for what a sequence captures.
   *
   * @param rows the fewest that a pass may have
   * @throws IllegalArgumentException if so many rows do not fit
   */
  public void check(SequenceCapture sequence, int rows) {
    long places = sequence.places().cardinality();
    long bytes = rows * places * hiddenSize * dtype.bytes();
    if (bytes > maxBytes) {
      throw new IllegalArgumentException(
          "stagingBytes is %d; this capture needs at least %d, for %d places and passes of %d rows"
              .formatted(maxBytes, bytes, places, rows));
    }
  }

  /**
   * How many rows a pass may have that captures at these places; 0 if they are too many for one.
   *
   * @param places as {@link SequenceCapture#places}
   */
  public int rowsFor(BitSet places) {
    long rowBytes = (long) places.cardinality() * hiddenSize * dtype.bytes();
    return rowBytes == 0 ? Integer.MAX_VALUE : (int) (maxBytes / rowBytes);
  }

  /**
   * Makes room for a pass.
   *
   * @param places all that any of its sequences captures at
   * @param rows N, rows of the pass, at most {@link #rowsFor}
   */
  public void prepare(BitSet places, int rows) {
    if (rows <= rowCapacity && places.equals(staged)) {
      return;
    }
    forgetArguments();
    Arrays.fill(slotCounts, 0);
    places.stream().forEach(place -> slotOfPlace[place] = slotCounts[place % POINTS.length]++);
    fitBlocks(rows);
    List<List<Tensor>> views = new ArrayList<>();
    for (int rank = 0; rank < stages.length; rank++) {
      views.add(new ArrayList<>());
    }
    long[] index = new long[slotOfPlace.length];
    Arrays.fill(index, NOT_STAGED);
    for (int place : places.stream().toArray()) {
      index[place] = views.get(0).size();
      for (int rank = 0; rank < stages.length; rank++) {
        views.get(rank).add(blocks[place % POINTS.length][rank].view(slotOfPlace[place]));
      }
    }
    slots = Argument.of(index);
    for (int rank = 0; rank < stages.length; rank++) {
      stages[rank] = Argument.of(views.get(rank));
    }
    staged = (BitSet) places.clone();
  }

  /** Blocks that are too small are made anew; if all together then exceed the bound, all are. */
  private void fitBlocks(int rows) {
    int capacity = Math.max(rows, rowCapacity);
    long elements = 0;
    for (int p = 0; p < POINTS.length; p++) {
      int held = blocks[p] == null ? 0 : blocks[p][0].slots();
      elements += (long) Math.max(held, slotCounts[p]) * capacity * hiddenSize;
    }
    if (elements * dtype.bytes() > maxBytes) {
      for (int p = 0; p < POINTS.length; p++) {
        free(p);
      }
      capacity = rows;
    }
    rowCapacity = capacity;
    for (int p = 0; p < POINTS.length; p++) {
      int needed = slotCounts[p];
      if (needed > 0
          && (blocks[p] == null
              || blocks[p][0].slots() < needed
              || blocks[p][0].rows() < capacity)) {
        free(p);
        blocks[p] = blocks(needed, capacity);
      }
    }
  }

  /** A block for each rank, or none if there is no memory for one. */
  private StagingBlock[] blocks(int slots, int capacity) {
    List<StagingBlock> made = new ArrayList<>();
    try {
      for (int rank = 0; rank < rankColumns.length; rank++) {
        made.add(new StagingBlock(ranks.get(rank), slots, capacity, rankColumns[rank], dtype));
      }
      return made.toArray(StagingBlock[]::new);
    } catch (RuntimeException e) {
      made.forEach(StagingBlock::close);
      throw e;
    }
  }

  private void free(int point) {
    if (blocks[point] != null) {
      for (StagingBlock block : blocks[point]) {
        block.close();
      }
      blocks[point] = null;
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
   * Starts to bring a rank's rows to the host, with one copy per hook point. They have arrived when
   * anything that the device was told later has.
   *
   * @param n rows of the pass
   */
  public void fetch(int rank, int n) {
    for (int p = 0; p < POINTS.length; p++) {
      if (slotCounts[p] > 0) {
        blocks[p][rank].fetch(n);
      }
    }
  }

  /**
   * Copies neighbouring rows of the pass that just ran.
   *
   * @param layers where they were captured
   * @param row the first of them
   * @param count how many
   * @param target [layers, target positions, D] from byte 0 on
   * @param at the target position of the first
   * @param positions target positions of a layer
   */
  void copy(
      HookPoint point, int[] layers, int row, int count, ByteBuffer target, int at, int positions) {
    StagingBlock[] ranks = blocks[point.ordinal()];
    int rowBytes = hiddenSize * dtype.bytes();
    if (ranks.length == 1 && positions == 1 && layers.length == slotCounts[point.ordinal()]) {
      // A decode step of a sequence that captures all that is staged: its rows lie together.
      ranks[0].read(0, layers.length, row, target, 0);
      return;
    }
    for (int layer = 0; layer < layers.length; layer++) {
      int slot = slotOfPlace[SequenceCapture.place(layers[layer], point)];
      int to = (layer * positions + at) * rowBytes;
      for (int i = 0; i < count; i++) {
        for (int rank = 0; rank < ranks.length; rank++) {
          ranks[rank].read(slot, 1, row + i, target, to);
          to += rankColumns[rank] * dtype.bytes();
        }
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
    staged = new BitSet();
  }

  @Override
  public void close() {
    forgetArguments();
    for (int p = 0; p < POINTS.length; p++) {
      free(p);
    }
  }
}
