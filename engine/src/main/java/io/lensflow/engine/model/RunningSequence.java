package io.lensflow.engine.model;

import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.capture.SequenceCapture;
import java.util.List;
import java.util.Map;

/** A sequence of {@link Transformer}: its blocks of the pool and how far they are filled. */
final class RunningSequence implements Sequence {
  private final Transformer owner;
  private final SequenceOptions options;
  private final SequenceCapture capture;
  private final List<KvBlocks.Run> runs;
  private final int begin;

  /** Whose first keys and values are still to be copied; null where none are. */
  private RunningSequence source;

  private int length;
  private boolean closed;

  /**
   * @param source the sequence that this one begins like; null if it has nothing in common
   * @param begin how many tokens they have in common: where it begins to consume its own
   */
  RunningSequence(
      Transformer owner,
      SequenceOptions options,
      SequenceCapture capture,
      List<KvBlocks.Run> runs,
      RunningSequence source,
      int begin) {
    this.owner = owner;
    this.options = options;
    this.capture = capture;
    this.runs = runs;
    this.source = source;
    this.begin = begin;
    this.length = begin;
  }

  Transformer owner() {
    return owner;
  }

  SequenceOptions options() {
    return options;
  }

  SequenceCapture capture() {
    return capture;
  }

  List<KvBlocks.Run> runs() {
    return runs;
  }

  /** The row of the pool that holds a position's key and value. */
  int poolRow(int position) {
    int block = position / KvBlocks.BLOCK_TOKENS;
    for (KvBlocks.Run run : runs) {
      if (block < run.count()) {
        return (run.first() + block) * KvBlocks.BLOCK_TOKENS + position % KvBlocks.BLOCK_TOKENS;
      }
      block -= run.count();
    }
    throw new IndexOutOfBoundsException("position " + position + " is beyond what was reserved");
  }

  /** The row of the pool of the first of some positions if all lie in one run, else −1. */
  int runStart(int start, int end) {
    int first = poolRow(start);
    return poolRow(end - 1) - first == end - 1 - start ? first : -1;
  }

  /** How many tokens from a position on are reserved in the position's run. */
  int runLength(int position) {
    int block = position / KvBlocks.BLOCK_TOKENS;
    for (KvBlocks.Run run : runs) {
      if (block < run.count()) {
        return (run.count() - block) * KvBlocks.BLOCK_TOKENS - position % KvBlocks.BLOCK_TOKENS;
      }
      block -= run.count();
    }
    return 0;
  }

  boolean isClosed() {
    return closed;
  }

  /** The position of the first token that it consumes itself. */
  int begin() {
    return begin;
  }

  /** Whose keys and values up to {@link #begin} are to be copied by its first pass, or null. */
  RunningSequence source() {
    return source;
  }

  /**
   * Whether there is nothing to copy, or its source holds it when the sequence's turn comes.
   *
   * @param lengths how far sequences are that stand before it in the same step
   */
  boolean holdsSource(Map<RunningSequence, Integer> lengths) {
    if (source == null) {
      return true;
    }
    int held = source.source == null ? source.length : 0;
    return !source.closed && lengths.getOrDefault(source, held) >= begin;
  }

  void advance(int count) {
    length += count;
    source = null;
  }

  @Override
  public int promptLength() {
    return options.promptLength();
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      owner.release(this);
    }
  }
}
