package io.lensflow.cli.system;

import io.lensflow.engine.LoadProgress;

/** Hears how far a start or a stop has come. Called by several threads. */
@FunctionalInterface
public interface Progress extends LoadProgress {
  /** Nobody listens. */
  Progress SILENT = line -> {};

  /** Something has come about. */
  void say(String line);

  /** So much of the model's weights was read. */
  @Override
  default void read(long bytesRead, long totalBytes) {}
}
