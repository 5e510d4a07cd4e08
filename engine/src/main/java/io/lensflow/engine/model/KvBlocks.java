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
      Run chosen = choose(needed);
      Run run = new Run(chosen.first(), Math.min(needed, chosen.count()));
      take(chosen, run.count());
      runs.add(run);
      needed -= run.count();
    }
    return runs;
  }

  /** The shortest free run that is long enough, or else the longest. */
  private Run choose(int needed) {
    Run fitting = null;
    Run longest = null;
    for (Map.Entry<Integer, Integer> entry : free.entrySet()) {
      // A copy: removing from the map may change its entries.
      Run run = new Run(entry.getKey(), entry.getValue());
      if (run.count() >= needed && (fitting == null || run.count() < fitting.count())) {
        fitting = run;
      }
      if (longest == null || run.count() > longest.count()) {
        longest = run;
      }
    }
    return fitting != null ? fitting : longest;
  }

  /** Takes the first {@code count} blocks of a free run. */
  private void take(Run run, int count) {
    free.remove(run.first());
    if (run.count() > count) {
      free.put(run.first() + count, run.count() - count);
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
