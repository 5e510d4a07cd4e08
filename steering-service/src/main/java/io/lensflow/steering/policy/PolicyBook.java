package io.lensflow.steering.policy;

import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringRequest;
import io.lensflow.steering.vector.Names;
import io.lensflow.steering.vector.Reference;
import io.lensflow.steering.vector.VectorId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What {@code steering-policies} says, record by record: the newest record of each policy, those of
 * deleted ones included, because they hold the highest version. Thread-safe: one thread feeds it,
 * any may read.
 */
public final class PolicyBook {
  private final Map<String, SteeringPolicy> newest = new TreeMap<>();

  /**
   * Takes a record.
   *
   * @param key as {@link PolicyId#key} gives it
   * @param value null for a tombstone, which ends the policy and forgets its version
   */
  public synchronized void apply(String key, SteeringPolicy value) {
    if (value == null) {
      newest.remove(key);
    } else {
      newest.put(key, value);
    }
  }

  /** The newest record, be it one of a deleted policy; empty if there is none. */
  public synchronized Optional<SteeringPolicy> record(PolicyId id) {
    return Optional.ofNullable(newest.get(id.key()));
  }

  /** A policy that is there. */
  public Optional<SteeringPolicy> find(PolicyId id) {
    return record(id)
        .filter(policy -> !policy.getDeleted() && policy.getModel().equals(id.model()));
  }

  /** All policies of a model, by name. */
  public synchronized List<SteeringPolicy> ofModel(String model) {
    return newest.values().stream()
        .filter(policy -> !policy.getDeleted() && policy.getModel().equals(model))
        .toList();
  }

  /** What policies, enabled or not, mean of a vector. */
  public List<Reference> references(VectorId vector) {
    List<Reference> references = new ArrayList<>();
    for (SteeringPolicy policy : ofModel(vector.model())) {
      for (SteeringRequest wish : policy.getSteering()) {
        if (wish.getName().equals(vector.name())) {
          references.add(reference(policy, wish));
        }
      }
    }
    return references;
  }

  private static Reference reference(SteeringPolicy policy, SteeringRequest wish) {
    String by = "policy '%s'".formatted(policy.getPolicy());
    return wish.getVersion() == null
        ? new Reference(by, 0, wish.getAlias() == null ? Names.LATEST : wish.getAlias())
        : new Reference(by, wish.getVersion(), "");
  }
}
