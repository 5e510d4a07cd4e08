package io.lensflow.steering.pipeline;

import java.time.Duration;

/**
 * How a job's requests are sent.
 *
 * @param requestsPerSlot requests on their way for each slot of the model's live workers: enough
 *     that no slot waits for the next one
 * @param maxBytesInFlight most bytes of rows that requests on their way may have together
 * @param deadline how long a request may take, its wait behind interactive ones included
 */
public record PipelineSettings(int requestsPerSlot, long maxBytesInFlight, Duration deadline) {
  /** What {@code reference.conf} says. */
  public static final PipelineSettings DEFAULT =
      new PipelineSettings(2, 256L << 20, Duration.ofHours(1));
}
