package io.lensflow.steering.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.client.json.InvalidRequestException;
import io.lensflow.client.json.RequestJson;
import io.lensflow.records.AuditEvent;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Versions of policies in the audit topic. The topic of policies keeps the newest version of each
 * only, so that an event holds a version's whole content, its {@code steering} as requests write
 * it, and can be read back. Stateless.
 */
public final class PolicyAudit {
  static final String SET = "SET_POLICY";
  static final String DELETE = "DELETE_POLICY";

  private static final String VERSION = "version";
  private static final String PREVIOUS = "previous";
  private static final String ENABLED = "enabled";
  private static final String MATCH_LABELS = "matchLabels";
  private static final String STEERING = "steering";
  private static final String DESCRIPTION = "description";
  private static final String ROLLED_BACK_TO = "rolledBackTo";
  private static final TypeReference<Map<String, String>> LABELS = new TypeReference<>() {};
  private static final ObjectMapper JSON = new ObjectMapper();

  private PolicyAudit() {}

  /**
   * What the event of a new version says.
   *
   * @param previous the version before, 0 for none
   * @param rolledBackTo the version whose content it has again, 0 for none
   */
  static Map<String, String> details(SteeringPolicy policy, int previous, int rolledBackTo) {
    Map<String, String> details = new TreeMap<>();
    details.put(VERSION, Integer.toString(policy.getVersion()));
    details.put(PREVIOUS, Integer.toString(previous));
    details.put(ENABLED, Boolean.toString(policy.getEnabled()));
    details.put(MATCH_LABELS, json(new TreeMap<>(policy.getMatchLabels())));
    details.put(STEERING, json(policy.getSteering().stream().map(PolicyAudit::wish).toList()));
    details.put(DESCRIPTION, policy.getDescription());
    if (rolledBackTo > 0) {
      details.put(ROLLED_BACK_TO, Integer.toString(rolledBackTo));
    }
    return details;
  }

  /** What the event of an end says. */
  static Map<String, String> end(int version) {
    return Map.of(PREVIOUS, Integer.toString(version));
  }

  /** A vector that a policy gives, as requests write it; what is absent was not said. */
  public static Map<String, Object> wish(SteeringRequest wish) {
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

  private static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("maps of texts and numbers are always JSON", e);
    }
  }

  /**
   * The version that an event tells of; empty if it is about something else.
   *
   * @throws IllegalArgumentException if it does not hold what it should
   */
  public static Optional<PolicyVersion> read(AuditEvent event) {
    Map<String, String> details = event.getDetails();
    SteeringPolicy.Builder policy =
        SteeringPolicy.newBuilder()
            .setModel(event.getModel())
            .setPolicy(event.getSubject().substring(event.getSubject().lastIndexOf('/') + 1))
            .setUpdatedAt(event.getAt());
    if (event.getAction().equals(DELETE)) {
      policy.setDeleted(true).setVersion(Integer.parseInt(details.get(PREVIOUS)));
    } else if (event.getAction().equals(SET)) {
      policy
          .setVersion(Integer.parseInt(details.get(VERSION)))
          .setEnabled(Boolean.parseBoolean(details.get(ENABLED)))
          .setMatchLabels(labels(details.get(MATCH_LABELS)))
          .setSteering(wishes(details.get(STEERING)))
          .setDescription(details.getOrDefault(DESCRIPTION, ""));
    } else {
      return Optional.empty();
    }
    int again = Integer.parseInt(details.getOrDefault(ROLLED_BACK_TO, "0"));
    return Optional.of(new PolicyVersion(policy.build(), event.getAt(), event.getActor(), again));
  }

  private static Map<String, String> labels(String json) {
    try {
      return JSON.readValue(json, LABELS);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("matchLabels is no JSON object: " + json, e);
    }
  }

  private static List<SteeringRequest> wishes(String json) {
    List<SteeringRequest> wishes = new ArrayList<>();
    try {
      for (JsonNode wish : JSON.readTree(json)) {
        wishes.add(RequestJson.readSteering(wish, "steering[%d]".formatted(wishes.size())));
      }
    } catch (JsonProcessingException | InvalidRequestException e) {
      throw new IllegalArgumentException("steering cannot be read: " + json, e);
    }
    return wishes;
  }
}
