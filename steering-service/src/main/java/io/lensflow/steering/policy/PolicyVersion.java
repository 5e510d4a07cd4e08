package io.lensflow.steering.policy;

import io.lensflow.records.SteeringPolicy;
import java.time.Instant;

/**
 * A version of a policy as the audit topic tells of it. Immutable by agreement.
 *
 * @param policy its whole content; of an end only the version that ended
 * @param at when it was written
 * @param actor who wrote it; may be empty
 * @param rolledBackTo the version whose content it has again, 0 for none
 */
public record PolicyVersion(SteeringPolicy policy, Instant at, String actor, int rolledBackTo) {
  /** Its number. */
  public int version() {
    return policy.getVersion();
  }

  /** Whether it says that the policy ended. */
  public boolean isEnd() {
    return policy.getDeleted();
  }
}
