package io.lensflow.cli.steering;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** The few calls that the command line makes. Thread-safe. */
public final class SteeringApi {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final URI base;
  private final ObjectMapper mapper = new ObjectMapper();

  /** Only the writer takes changes; the others send their callers there. */
  private final HttpClient http =
      HttpClient.newBuilder()
          .connectTimeout(Duration.ofSeconds(10))
          .followRedirects(HttpClient.Redirect.NORMAL)
          .build();

  /** A client of the service at a base URL. */
  public SteeringApi(URI base) {
    this.base = base;
  }

  /** Publishes a new version; the answer tells which. */
  public JsonNode publish(VectorFile vector) {
    return call(
        request(path(vector.model(), vector.name()))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(vector.body())));
  }

  /** All vectors of a model. */
  public JsonNode list(String model) {
    return call(request(path(model, null)).GET());
  }

  /** Retires a vector, or one of its versions. */
  public JsonNode delete(String model, String name, Integer version) {
    String path = path(model, name) + (version == null ? "" : "/versions/" + version);
    return call(request(path).DELETE());
  }

  private static String path(String model, String name) {
    String vectors = "/v1/models/" + encode(model) + "/vectors";
    return name == null ? vectors : vectors + "/" + encode(name);
  }

  private static String encode(String segment) {
    return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(base + path)).timeout(PATIENCE);
  }

  private JsonNode call(HttpRequest.Builder request) {
    try {
      HttpResponse<String> response =
          http.send(request.build(), HttpResponse.BodyHandlers.ofString());
      JsonNode body = parse(response.body());
      if (response.statusCode() / 100 != 2) {
        throw new CommandFailure(message(body, response.statusCode()));
      }
      return body;
    } catch (IOException e) {
      throw new CommandFailure(
          "the steering service at %s does not answer (%s); is it running? see --url"
              .formatted(base, e),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailure("interrupted", e);
    }
  }

  private JsonNode parse(String body) {
    try {
      return mapper.readTree(body);
    } catch (JsonProcessingException e) {
      throw new CommandFailure("%s does not answer like a steering service".formatted(base), e);
    }
  }

  private static String message(JsonNode body, int status) {
    JsonNode error = body.path("error");
    String field = error.path("field").asText("");
    return error.isMissingNode()
        ? "the steering service answered " + status
        : (field.isEmpty() || field.equals("null") ? "" : field + ": ")
            + error.path("message").asText();
  }
}
