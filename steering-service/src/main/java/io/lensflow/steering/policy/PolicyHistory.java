package io.lensflow.steering.policy;

import io.lensflow.records.AuditEvent;
import io.lensflow.steering.vector.RefusedException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All that the audit topic tells of one policy, oldest first; as far back as the topic is kept.
 * Immutable.
 */
public final class PolicyHistory {
  private static final Logger log = LoggerFactory.getLogger(PolicyHistory.class);

  private final PolicyId id;
  private final List<PolicyVersion> versions;

  private PolicyHistory(PolicyId id, List<PolicyVersion> versions) {
    this.id = id;
    this.versions = List.copyOf(versions);
  }

  /**
   * Reads it from events. One that cannot be read is logged and left out.
   *
   * @param events those of the policy's key, in the topic's order
   */
  public static PolicyHistory of(PolicyId id, List<AuditEvent> events) {
    List<PolicyVersion> versions = new ArrayList<>();
    for (AuditEvent event : events) {
      try {
        PolicyAudit.read(event)
            .filter(version -> version.policy().getModel().equals(id.model()))
            .ifPresent(versions::add);
      } catch (IllegalArgumentException e) {
        log.warn("audit event {} is left out of a history: {}", event.getEventId(), e.getMessage());
      }
    }
    return new PolicyHistory(id, versions);
  }

  /** Versions and ends, oldest first. */
  public List<PolicyVersion> versions() {
    return versions;
  }

  /**
   * A version with its content.
   *
   * @param field what an error names
   * @throws RefusedException if the topic does not tell of it
   */
  public PolicyVersion version(String field, int number) {
    return versions.stream()
        .filter(one -> one.version() == number && !one.isEnd())
        .findFirst()
        .orElseThrow(
            () ->
                RefusedException.unknown(
                    field,
                    "policy '%s' has no version %d; the audit topic tells of %s"
                        .formatted(id.name(), number, numbers())));
  }

  /**
   * The version before another.
   *
   * @param number that one; 0 for an ended policy, whose last version is before
   * @throws RefusedException if there is none
   */
  public PolicyVersion before(int number) {
    return versions.stream()
        .filter(one -> !one.isEnd() && (number == 0 || one.version() < number))
        .max(Comparator.comparingInt(PolicyVersion::version))
        .orElseThrow(
            () ->
                RefusedException.conflict(
                    "NOTHING_TO_ROLL_BACK_TO",
                    "to",
                    "the audit topic tells of no version before %d".formatted(number)));
  }

  private List<Integer> numbers() {
    return versions.stream().filter(one -> !one.isEnd()).map(PolicyVersion::version).toList();
  }
}
