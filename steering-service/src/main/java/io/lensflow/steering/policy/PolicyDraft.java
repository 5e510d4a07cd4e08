package io.lensflow.steering.policy;

import io.lensflow.records.SteeringRequest;
import java.util.List;
import java.util.Map;

/**
 * A policy as somebody wants it, before it has a version. Immutable by agreement.
 *
 * @param enabled whether it shall be in force
 * @param matchLabels labels that a request must have, all of them; empty matches every request
 * @param steering what matching requests get, in the order of application; empty gives nothing,
 *     which exempts them from policies that match less closely
 * @param description what it is for
 * @param expectedVersion version that must be current, 0 for none; null does not ask
 */
public record PolicyDraft(
    boolean enabled,
    Map<String, String> matchLabels,
    List<SteeringRequest> steering,
    String description,
    Integer expectedVersion) {
  public PolicyDraft {
    matchLabels = Map.copyOf(matchLabels);
    steering = List.copyOf(steering);
  }
}
