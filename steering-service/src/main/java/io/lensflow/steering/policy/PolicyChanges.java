package io.lensflow.steering.policy;

import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.ModelShape;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SteeringRecords;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorId;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Every change of policies: checks what was asked, looks at what is there, and says what is to be
 * written. Whoever calls it sees to it that the books are up to date and that nobody else writes
 * meanwhile. Thread-safe.
 */
public final class PolicyChanges {
  private final PolicyBook policies;
  private final VectorBook vectors;
  private final Function<String, List<ModelShape>> shapes;
  private final TopicCatalogue topics;
  private final SteeringRecords records;
  private final Clock clock;

  /**
   * @param policies what is there
   * @param vectors what policies may name
   * @param shapes shapes of the live workers of a model
   */
  public PolicyChanges(
      PolicyBook policies,
      VectorBook vectors,
      Function<String, List<ModelShape>> shapes,
      TopicCatalogue topics,
      Clock clock) {
    this.policies = policies;
    this.vectors = vectors;
    this.shapes = shapes;
    this.topics = topics;
    this.records = new SteeringRecords(topics);
    this.clock = clock;
  }

  /**
   * Makes a policy, or its next version.
   *
   * @throws RefusedException if it names a vector, version or alias that is not there, or is wrong
   *     otherwise, or another version than expected is current
   */
  public Change set(PolicyId id, PolicyDraft draft, Origin origin) {
    return set(id, draft, 0, origin);
  }

  /**
   * Gives a policy the content of an earlier version again, as its next version; brings it back if
   * it was ended.
   *
   * @param to the earlier version
   * @param current version that must be current, 0 for an ended policy
   * @throws RefusedException as for {@link #set}: what the content names may be gone by now
   */
  public Change rollback(PolicyId id, PolicyVersion to, int current, Origin origin) {
    SteeringPolicy old = to.policy();
    PolicyDraft draft =
        new PolicyDraft(
            old.getEnabled(),
            old.getMatchLabels(),
            old.getSteering(),
            old.getDescription(),
            current);
    return set(id, draft, to.version(), origin);
  }

  private Change set(PolicyId id, PolicyDraft draft, int rolledBackTo, Origin origin) {
    check(id, draft);
    int current = policies.find(id).map(SteeringPolicy::getVersion).orElse(0);
    expect(draft.expectedVersion(), current);
    int version = highest(id) + 1;
    Instant now = clock.instant();
    SteeringPolicy policy =
        SteeringPolicy.newBuilder()
            .setModel(id.model())
            .setPolicy(id.name())
            .setVersion(version)
            .setEnabled(draft.enabled())
            .setMatchLabels(new TreeMap<>(draft.matchLabels()))
            .setSteering(draft.steering())
            .setDescription(draft.description())
            .setUpdatedAt(now)
            .build();
    Map<String, String> details = PolicyAudit.details(policy, current, rolledBackTo);
    return change(PolicyAudit.SET, id, policy, now, origin, details);
  }

  /**
   * Ends a policy. Its record stays and says so, so that its version is not given again.
   *
   * @param expected version that must be current; null does not ask
   * @throws RefusedException if it is not there, or {@code expected} is not current
   */
  public Change delete(PolicyId id, Integer expected, Origin origin) {
    Names.checkModel(id.model());
    Names.checkPolicy(id.name());
    SteeringPolicy current =
        policies
            .find(id)
            .orElseThrow(
                () ->
                    RefusedException.unknown(
                        "policy",
                        "model '%s' has no policy '%s'".formatted(id.model(), id.name())));
    expect(expected, current.getVersion());
    Instant now = clock.instant();
    SteeringPolicy gone =
        SteeringPolicy.newBuilder()
            .setModel(id.model())
            .setPolicy(id.name())
            .setVersion(current.getVersion())
            .setDeleted(true)
            .setUpdatedAt(now)
            .build();
    Map<String, String> details = PolicyAudit.end(current.getVersion());
    return change(PolicyAudit.DELETE, id, gone, now, origin, details);
  }

  private Change change(
      String action,
      PolicyId id,
      SteeringPolicy policy,
      Instant now,
      Origin origin,
      Map<String, String> details) {
    ProducerRecord<String, SpecificRecord> record =
        LensflowHeaders.record(topics.steeringPolicies(), id.key(), policy, null);
    return new Change(
        action,
        id.model(),
        id.name(),
        List.of(policy.getVersion()),
        List.of(record, records.audit(action, id.key(), id.model(), now, origin, details)),
        List.of());
  }

  private void check(PolicyId id, PolicyDraft draft) {
    Names.checkModel(id.model());
    Names.checkPolicy(id.name());
    policies
        .record(id)
        .filter(other -> !other.getModel().equals(id.model()))
        .ifPresent(
            other -> {
              throw RefusedException.modelNameTaken(id.model(), other.getModel());
            });
    PolicyCheck.labels(draft.matchLabels());
    List<SteeringRequest> wishes = draft.steering();
    if (wishes.size() > PolicyCheck.MAX_VECTORS) {
      throw RefusedException.invalid(
          "steering",
          "%d vectors are more than the %d allowed"
              .formatted(wishes.size(), PolicyCheck.MAX_VECTORS));
    }
    List<ModelShape> live = shapes.apply(id.model());
    for (int i = 0; i < wishes.size(); i++) {
      VectorId vector = new VectorId(id.model(), wishes.get(i).getName());
      PolicyCheck.vector("steering[%d]".formatted(i), wishes.get(i), vectors.find(vector), live);
    }
  }

  private int highest(PolicyId id) {
    return policies.record(id).map(SteeringPolicy::getVersion).orElse(0);
  }

  private static void expect(Integer expected, int current) {
    if (expected != null && expected != current) {
      throw RefusedException.outdated(expected, current);
    }
  }
}
