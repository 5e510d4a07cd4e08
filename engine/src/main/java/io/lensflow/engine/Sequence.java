package io.lensflow.engine;

/**
 * One running sequence: its token ids, its keys and values, what is captured and how it is steered.
 * Made by {@link Engine#open}; used by the thread that steps the engine, and by no other.
 */
public interface Sequence extends AutoCloseable {
  /** P, tokens of the prompt. */
  int promptLength();

  /** Tokens consumed so far: the absolute position of the next one. */
  int length();

  /** Gives the keys and values back to the pool. Closing twice is harmless. */
  @Override
  void close();
}
