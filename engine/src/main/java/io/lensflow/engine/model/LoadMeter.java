package io.lensflow.engine.model;

import io.lensflow.engine.LoadProgress;
import io.lensflow.engine.checkpoint.Checkpoint;

/**
 * Adds up what all ranks have read.
 *
 * <p>Thread-safe.
 */
final class LoadMeter {
  private final LoadProgress progress;
  private final long total;
  private long read;

  /** The total is the files' own; what ranks hold copies of, such as norms, is small beside it. */
  LoadMeter(Checkpoint checkpoint, LoadProgress progress) {
    this.progress = progress;
    this.total = checkpoint.weightBytes();
  }

  synchronized void add(long bytes) {
    read = Math.min(total, read + bytes);
    progress.read(read, total);
  }

  /** Everything was read that is a part of the model; what remains belongs to nothing in it. */
  synchronized void end() {
    if (read < total) {
      add(total - read);
    }
  }
}
