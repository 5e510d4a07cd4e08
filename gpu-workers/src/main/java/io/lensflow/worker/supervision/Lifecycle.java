package io.lensflow.worker.supervision;

import io.lensflow.worker.ranks.EngineInfo;

/** Hears how a worker is. Called by actors: implementations are thread-safe and do not block. */
public interface Lifecycle {
  /** Said once: requests are being taken. */
  void ready(EngineInfo engine);

  /** The checkpoint could not be loaded: nothing was started. */
  void neverLoaded(Throwable cause);

  /** The engine restarts, or is back. */
  void engine(boolean up);

  /** The process has to end; see exit code 70. */
  void lost(Throwable cause);
}
