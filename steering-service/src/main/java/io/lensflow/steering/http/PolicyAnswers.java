package io.lensflow.steering.http;

import io.lensflow.records.SteeringPolicy;
import io.lensflow.steering.policy.PolicyAudit;
import io.lensflow.steering.policy.PolicyHistory;
import io.lensflow.steering.policy.PolicyId;
import io.lensflow.steering.policy.PolicyVersion;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Policies as JSON objects; their {@code steering} as requests write it. Stateless. */
final class PolicyAnswers {
  private PolicyAnswers() {}

  static Map<String, Object> policy(SteeringPolicy policy) {
    return Answers.object(
        "model", policy.getModel(),
        "policy", policy.getPolicy(),
        "version", policy.getVersion(),
        "enabled", policy.getEnabled(),
        "deleted", policy.getDeleted(),
        "matchLabels", new TreeMap<>(policy.getMatchLabels()),
        "steering", steering(policy),
        "description", policy.getDescription(),
        "updatedAt", policy.getUpdatedAt().toString());
  }

  /** All that is known of a policy, the newest first. */
  static Map<String, Object> history(PolicyId id, PolicyHistory history) {
    List<Map<String, Object>> versions = new ArrayList<>();
    for (PolicyVersion one : history.versions()) {
      versions.add(
          0,
          Answers.object(
              "version", one.version(),
              "at", one.at().toString(),
              "actor", one.actor(),
              "deleted", one.isEnd(),
              "rolledBackTo", one.rolledBackTo() == 0 ? null : one.rolledBackTo(),
              "enabled", one.policy().getEnabled(),
              "matchLabels", new TreeMap<>(one.policy().getMatchLabels()),
              "steering", steering(one.policy()),
              "description", one.policy().getDescription()));
    }
    return Answers.object("model", id.model(), "policy", id.name(), "versions", versions);
  }

  /** Every field in which two versions differ. */
  static Map<String, Object> diff(PolicyId id, PolicyVersion from, PolicyVersion to) {
    Map<String, Object> before = policy(from.policy());
    Map<String, Object> after = policy(to.policy());
    Map<String, Object> fields = new LinkedHashMap<>();
    for (String field : List.of("enabled", "matchLabels", "steering", "description")) {
      if (!before.get(field).equals(after.get(field))) {
        fields.put(field, Answers.object("from", before.get(field), "to", after.get(field)));
      }
    }
    return Answers.object(
        "model", id.model(),
        "policy", id.name(),
        "from", from.version(),
        "to", to.version(),
        "fields", fields);
  }

  private static List<Map<String, Object>> steering(SteeringPolicy policy) {
    return policy.getSteering().stream().map(PolicyAudit::wish).toList();
  }
}
