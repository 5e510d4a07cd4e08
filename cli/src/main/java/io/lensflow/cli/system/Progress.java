package io.lensflow.cli.system;

/** Hears how far a start or a stop has come. Called by several threads. */
@FunctionalInterface
public interface Progress {
  /** Nobody listens. */
  Progress SILENT = line -> {};

  /** Something has come about. */
  void say(String line);
}
