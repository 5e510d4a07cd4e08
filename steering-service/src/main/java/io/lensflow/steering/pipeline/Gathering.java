package io.lensflow.steering.pipeline;

import io.lensflow.client.follow.SettledEvent;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.LensResult;
import java.util.ArrayList;
import java.util.List;

/** What has come of a request that has ended. Used by one thread. */
final class Gathering {
  final List<ActivationChunk> chunks = new ArrayList<>();
  final List<LensResult> results = new ArrayList<>();

  /** Why rows of it can never come; null while none are known to be lost. */
  String loss;

  private final SettledEvent.Outcome outcome;

  Gathering(SettledEvent.Outcome outcome) {
    this.outcome = outcome;
  }

  Answer answer() {
    return new Answer(
        outcome.terminal(),
        outcome.tokens(),
        chunks,
        results,
        Answer.failureOf(outcome.terminal()));
  }
}
