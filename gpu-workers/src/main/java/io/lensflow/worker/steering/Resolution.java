package io.lensflow.worker.steering;

import io.lensflow.records.Failure;

/** What became of a request's wish to be steered. */
public sealed interface Resolution {
  /** Every vector is on every rank, and pinned until it is given back. */
  record Pinned(PinnedSteering steering) implements Resolution {}

  /** A vector is not there yet; it may come. */
  record Missing(Failure failure) implements Resolution {}

  /** It will never work. */
  record Impossible(Failure failure) implements Resolution {}
}
