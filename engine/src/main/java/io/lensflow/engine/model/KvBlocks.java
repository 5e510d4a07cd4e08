package io.lensflow.engine.model;

import io.lensflow.engine.KvCapacityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which parts of the pool of keys and values are free: blocks of {@link #BLOCK_TOKENS} tokens. A
 * sequence gets the blocks for all the tokens that it may ever hold when it is opened, so that what
 * was admitted always runs to its end.
 *
 * <p>Any free blocks do, so that the pool cannot be full of holes that fit nobody. One run of
 * neighbours is preferred, the shortest that is long enough: attention then reads keys and values
 * where they lie, while those of a scattered sequence are gathered first.
 *
 * <p>Not thread-safe.
 */
final class KvBlocks {
  /** Tokens of a block. */
  static final int BLOCK_TOKENS = 16;

  private final int blocks;
  private int freeBlocks;

  /** Free runs: first block to length. Neighbours are always merged. */
  private final TreeMap<Integer, Integer> free = new TreeMap<>();

  /**
   * @param tokens what the pool must hold at least
   */
  KvBlocks(int tokens) {
    blocks = blocksFor(tokens);
    freeBlocks = blocks;
    free.put(0, blocks);
  }

  /** A run of neighbouring blocks. */
  record Run(int first, int count) {}

  private static int blocksFor(int tokens) {
    return (tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
  }

  /** Tokens that the pool holds over all sequences. */
  int tokens() {
    return blocks * BLOCK_TOKENS;
  }

  /** Tokens for which there are free blocks. */
  int freeTokens() {
    return freeBlocks * BLOCK_TOKENS;
  }

  /**
   * Takes blocks for so many tokens.
   *
   * @return their runs, in the order in which the sequence fills them
   * @throws KvCapacityException if too few are free now; nothing was taken
   */
  List<Run> reserve(int tokens) {
    int needed = blocksFor(tokens);
    if (needed > freeBlocks) {
      throw new KvCapacityException(
          "no room for %d tokens' keys and values: blocks for %d of %d tokens are free"
              .formatted(tokens, freeTokens(), tokens()));
    }
    List<Run> runs = new ArrayList<>();
    while (needed > 0) {
      Map.Entry<Integer, Integer> run = choose(needed);
      int count = Math.min(needed, run.getValue());
      take(run.getKey(), run.getValue(), count);
      runs.add(new Run(run.getKey(), count));
      needed -= count;
    }
    return runs;
  }

  /** The shortest run that is long enough, or else the longest. */
  private Map.Entry<Integer, Integer> choose(int needed) {
    Map.Entry<Integer, Integer> fitting = null;
    Map.Entry<Integer, Integer> longest = null;
    for (Map.Entry<Integer, Integer> run : free.entrySet()) {
      if (run.getValue() >= needed && (fitting == null || run.getValue() < fitting.getValue())) {
        fitting = run;
      }
      if (longest == null || run.getValue() > longest.getValue()) {
        longest = run;
      }
    }
    return fitting != null ? fitting : longest;
  }

  private void take(int first, int length, int count) {
    free.remove(first);
    if (length > count) {
      free.put(first + count, length - count);
    }
    freeBlocks -= count;
  }

  /** Gives blocks back. */
  void release(List<Run> runs) {
    for (Run run : runs) {
      int first = run.first();
      int length = run.count();
      freeBlocks += length;
      Map.Entry<Integer, Integer> before = free.lowerEntry(first);
      if (before != null && before.getKey() + before.getValue() == first) {
        first = before.getKey();
        length += before.getValue();
      }
      Integer after = free.remove(run.first() + run.count());
      if (after != null) {
        length += after;
      }
      free.put(first, length);
    }
  }
}
