package io.lensflow.cli.steering;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A steering vector as a JSON file: {@code name}, {@code model}, {@code layer}, {@code hookPoint},
 * {@code values}, or {@code sites} in place of the last three, and whatever else the steering
 * service takes. Immutable.
 *
 * @param model served name of the model it is for
 * @param name of the vector
 * @param body what is sent: the file without what the URL says
 */
public record VectorFile(String model, String name, String body) {
  /** Not of the API: the URL says the first two, the service computes the third. */
  private static final Set<String> NOT_SENT = Set.of("name", "model", "norm");

  /** What is sent, with what {@code change} adds to it. */
  public String body(UnaryOperator<ObjectNode> change) {
    try {
      return change.apply((ObjectNode) new ObjectMapper().readTree(body)).toString();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("it was written from an object", e);
    }
  }

  /**
   * Reads a file.
   *
   * @param model overrides the file's
   * @param name overrides the file's
   */
  public static VectorFile read(Path file, Optional<String> model, Optional<String> name) {
    ObjectMapper mapper = new ObjectMapper();
    try {
      if (!(mapper.readTree(Files.readAllBytes(file)) instanceof ObjectNode content)) {
        throw new CommandFailure(file + " does not hold a JSON object");
      }
      String itsModel = model.orElse(content.path("model").asText(""));
      String itsName = name.orElse(content.path("name").asText(""));
      require(!itsModel.isEmpty(), file, "model", "--model");
      require(!itsName.isEmpty(), file, "name", "--name");
      JsonNode body = content.without(NOT_SENT);
      return new VectorFile(itsModel, itsName, body.toString());
    } catch (JsonProcessingException e) {
      throw new CommandFailure(file + " is not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new CommandFailure(file + " cannot be read: " + e, e);
    }
  }

  private static void require(boolean given, Path file, String field, String option) {
    if (!given) {
      throw new CommandFailure(
          "%s has no field '%s'; add it, or give %s".formatted(file, field, option));
    }
  }
}
