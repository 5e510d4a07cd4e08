package io.lensflow.steering.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.client.json.InvalidRequestException;
import io.lensflow.client.json.RequestJson;
import io.lensflow.records.SteeringRequest;
import io.lensflow.steering.policy.PolicyDraft;
import io.lensflow.steering.vector.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What setting a policy sends; {@code steering} is written as in requests. */
record PolicyBody(
    Boolean enabled,
    Map<String, String> matchLabels,
    List<JsonNode> steering,
    String description,
    Integer expectedVersion) {
  /** The draft, defaults filled in. */
  PolicyDraft toDraft() {
    if (steering == null) {
      throw RefusedException.invalid(
          "steering", "must be set to the vectors that matching requests get; may be empty");
    }
    List<SteeringRequest> wishes = new ArrayList<>();
    for (JsonNode wish : steering) {
      try {
        wishes.add(RequestJson.readSteering(wish, "steering[%d]".formatted(wishes.size())));
      } catch (InvalidRequestException e) {
        throw RefusedException.invalid(e.field(), e.getMessage());
      }
    }
    if (matchLabels != null && matchLabels.containsValue(null)) {
      throw RefusedException.invalid("matchLabels", "every label must have a text as its value");
    }
    return new PolicyDraft(
        enabled == null || enabled,
        matchLabels == null ? Map.of() : matchLabels,
        wishes,
        description == null ? "" : description,
        expectedVersion);
  }
}
