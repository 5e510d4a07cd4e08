package io.lensflow.worker.intake;

import io.lensflow.records.PromptRequest;
import io.lensflow.worker.request.GenerationRequest;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.steering.PinnedSteering;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * A request that a worker holds, from its delivery until it is acknowledged. Not thread-safe: owned
 * by the intake.
 */
final class HeldRequest {
  /** Where a request stands. */
  enum Phase {
    /** Its history is being read. */
    LOOKED_UP,
    /** It waits for a vector to be pinned. */
    STEERED,
    /** It waits for a vector that is not there yet. */
    WAITING_FOR_VECTOR,
    /** An attempt is with the scheduler. */
    RUNNING,
    /** Its terminal event is being written. */
    ENDING
  }

  private final PromptRequest source;
  private final String traceparent;
  private final List<Delivery> deliveries = new ArrayList<>();

  /** Where it stands. */
  Phase phase = Phase.LOOKED_UP;

  /** Checked and resolved; null before. */
  GenerationRequest request;

  /** Pinned vectors. */
  PinnedSteering steering = PinnedSteering.NONE;

  /** The attempt that runs; null before the first. */
  Run run;

  /** Attempts that count against the limit, those of other workers included. */
  int attempts;

  /** When it stops waiting for a vector. */
  Instant vectorDeadline;

  HeldRequest(PromptRequest source, String traceparent, Delivery delivery) {
    this.source = source;
    this.traceparent = traceparent;
    this.deliveries.add(delivery);
  }

  PromptRequest source() {
    return source;
  }

  String id() {
    return source.getRequestId();
  }

  String traceparent() {
    return traceparent;
  }

  /** The delivery that came first. */
  Delivery delivery() {
    return deliveries.get(0);
  }

  /** All deliveries: the same request can be in the topic twice, or be delivered again. */
  List<Delivery> deliveries() {
    return deliveries;
  }

  /** Whether this attempt is the current one. */
  boolean runs(String attemptId) {
    return phase == Phase.RUNNING && run != null && run.attemptId().equals(attemptId);
  }
}
