package io.lensflow.cli.steering;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.cli.CommandFailure;
import java.util.ArrayList;
import java.util.List;

/** Which model a command means. Stateless. */
public final class ServedModels {
  private ServedModels() {}

  /**
   * The model that is named, or the only one that is served.
   *
   * @param named served name; null if the user names none
   * @throws CommandFailure if none is named and there is not exactly one
   */
  public static String choose(SteeringApi api, String named) {
    if (named != null) {
      return named;
    }
    List<String> served = new ArrayList<>();
    for (JsonNode model : api.get(ApiPath.models()).path("models")) {
      served.add(model.path("name").asText());
    }
    if (served.size() != 1) {
      throw new CommandFailure(
          served.isEmpty()
              ? "no live worker serves a model; start one"
              : "several models are served, %s; name one with --model".formatted(served));
    }
    return served.get(0);
  }
}
