package io.lensflow.worker.intake;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.schemas.deadletter.DeadLetters;
import io.lensflow.worker.publishing.EventLog;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes the records that the intake itself answers with. Thread-safe. */
public final class IntakeRecords {
  private static final Logger logger = LoggerFactory.getLogger(IntakeRecords.class);
  private static final String SERVICE = "gpu-workers";

  private final EventLog log;
  private final String completions;
  private final String deadLetters;

  /**
   * @param completions topic of completion events
   * @param deadLetters topic of dead letters
   */
  public IntakeRecords(EventLog log, String completions, String deadLetters) {
    this.log = log;
    this.completions = completions;
    this.deadLetters = deadLetters;
  }

  /** Writes an event of a request. */
  CompletionStage<Void> event(CompletionEvent event, String traceparent) {
    return log.publish(completions, event.getRequestId(), event, traceparent);
  }

  /** Writes an event that nothing waits for. */
  void note(CompletionEvent event, String traceparent) {
    event(event, traceparent)
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                logger.warn(
                    "request={} lost {}: {}", event.getRequestId(), event.getType(), e.toString());
              }
            });
  }

  /** Keeps a request that is given up, whole. */
  CompletionStage<Void> deadLetter(
      Delivery delivery, Failure failure, String requestId, int attempts) {
    return log.publish(
        deadLetters,
        DeadLetters.keyOf(delivery.record()),
        DeadLetters.of(delivery.record(), SERVICE, failure, requestId, attempts),
        null);
  }
}
