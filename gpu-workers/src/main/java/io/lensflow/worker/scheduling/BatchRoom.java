package io.lensflow.worker.scheduling;

import io.lensflow.worker.request.GenerationRequest;
import io.lensflow.worker.request.InvalidRequestException;

/**
 * What the batch lane may hold of the pool of keys and values, so that the rest is there for
 * interactive requests at any time. Immutable and thread-safe.
 *
 * @param tokens most tokens of all its sequences together
 */
public record BatchRoom(int tokens) {
  /** The pool is handed out in such blocks. */
  private static final int BLOCK_TOKENS = 16;

  /**
   * Refuses a request that could never join, however long it waited.
   *
   * @throws InvalidRequestException naming what it needs and what there is
   */
  public void check(GenerationRequest request) throws InvalidRequestException {
    int needed = heldBy(request);
    if (needed > tokens) {
      throw new InvalidRequestException(
          InvalidRequestException.TOO_LONG,
          "maxNewTokens",
          "prompt and output take %d tokens of the KV pool, and requests of the batch lane may hold %d: send it to the interactive topic, shorten it, or raise lensflow.worker.batch.kv-share or kv-tokens"
              .formatted(needed, tokens));
    }
  }

  /** Tokens of the pool that a request holds while it runs. */
  static int heldBy(GenerationRequest request) {
    return blockTokens(request.maxLength());
  }

  /** Tokens of the blocks for so many. */
  static int blockTokens(int tokens) {
    return (tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS * BLOCK_TOKENS;
  }
}
