package io.lensflow.engine;

import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.steering.SteeringSite;
import java.util.List;

/**
 * What a sequence needs from the engine.
 *
 * @param promptLength P, at least 1
 * @param maxLength most tokens that will ever be consumed (P + maxNewTokens − 1, at least P); keys
 *     and values are reserved for so many
 * @param capture what is set aside
 * @param steering vectors in the order of application
 */
public record SequenceOptions(
    int promptLength, int maxLength, CapturePlan capture, List<SteeringSite> steering) {
  public SequenceOptions {
    steering = List.copyOf(steering);
  }
}
