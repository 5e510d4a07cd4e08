package io.lensflow.engine;

/** Told how far the loading of a checkpoint is. Called by the loading threads, one at a time. */
@FunctionalInterface
public interface LoadProgress {
  /** Tells nobody. */
  LoadProgress NONE = (read, total) -> {};

  /**
   * @param bytesRead bytes of weights read so far, all ranks together
   * @param totalBytes bytes that will be read
   */
  void read(long bytesRead, long totalBytes);
}
