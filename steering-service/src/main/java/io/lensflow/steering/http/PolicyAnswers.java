package io.lensflow.steering.http;

import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringRequest;
import java.util.LinkedHashMap;
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
        "steering", policy.getSteering().stream().map(PolicyAnswers::steering).toList(),
        "description", policy.getDescription(),
        "updatedAt", policy.getUpdatedAt().toString());
  }

  /** What is absent was not said. */
  private static Map<String, Object> steering(SteeringRequest wish) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("name", wish.getName());
    put(answer, "version", wish.getVersion());
    put(answer, "alias", wish.getAlias());
    answer.put("multiplier", wish.getMultiplier());
    put(answer, "operation", wish.getOperation());
    put(answer, "positions", wish.getPositions());
    put(answer, "preserveNorm", wish.getPreserveNorm());
    put(answer, "layers", wish.getLayers());
    put(answer, "hookPoint", wish.getHookPoint());
    return answer;
  }

  private static void put(Map<String, Object> answer, String name, Object value) {
    if (value != null) {
      answer.put(name, value instanceof Enum<?> symbol ? symbol.name() : value);
    }
  }
}
