package io.lensflow.cli.steering;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/** The calls that the command line makes. Thread-safe. */
public final class SteeringApi {
  /** More than the longest time that the service waits for workers. */
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private static final int TEMPORARY_REDIRECT = 307;
  private static final int NOT_FOUND = 404;
  private static final int MAX_REDIRECTS = 3;

  private final URI base;
  private final Optional<String> token;
  private final ObjectMapper mapper = new ObjectMapper();

  /**
   * Only the writer takes changes; the others send their callers there. That is followed here, not
   * by the client, which may leave out the token where the host differs.
   */
  private final HttpClient http =
      HttpClient.newBuilder()
          .connectTimeout(Duration.ofSeconds(10))
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();

  /** A client of the service at a base URL that shows no token. */
  public SteeringApi(URI base) {
    this(base, Optional.empty());
  }

  /**
   * A client of the service at a base URL.
   *
   * @param token shown with every call
   */
  public SteeringApi(URI base, Optional<String> token) {
    this.base = base;
    this.token = token;
  }

  /** Publishes a new version; the answer tells which. */
  public JsonNode publish(VectorFile vector) {
    return post(ApiPath.vector(vector.model(), vector.name()), vector.body());
  }

  /** Looks. */
  public JsonNode get(ApiPath path) {
    return call("GET", path, null, BodyPublishers.noBody());
  }

  /** Looks for what may not be there. */
  public Optional<JsonNode> find(ApiPath path) {
    HttpResponse<byte[]> response = send("GET", path, null, BodyPublishers.noBody());
    if (response.statusCode() == NOT_FOUND) {
      return Optional.empty();
    }
    requireSuccess(response);
    return Optional.of(parse(response));
  }

  /** Asks for something to be made. */
  public JsonNode post(ApiPath path, String json) {
    return call("POST", path, "application/json", BodyPublishers.ofString(json));
  }

  /** The same, with bytes. */
  public JsonNode post(ApiPath path, byte[] bytes) {
    return call("POST", path, "application/octet-stream", BodyPublishers.ofByteArray(bytes));
  }

  /** Sets something. */
  public JsonNode put(ApiPath path, String json) {
    return call("PUT", path, "application/json", BodyPublishers.ofString(json));
  }

  /** Takes something away. */
  public JsonNode delete(ApiPath path) {
    return call("DELETE", path, null, BodyPublishers.noBody());
  }

  /** A file, as it comes. */
  public HttpResponse<byte[]> download(ApiPath path) {
    HttpResponse<byte[]> response = send("GET", path, null, BodyPublishers.noBody());
    requireSuccess(response);
    return response;
  }

  private JsonNode call(String method, ApiPath path, String type, BodyPublisher body) {
    HttpResponse<byte[]> response = send(method, path, type, body);
    requireSuccess(response);
    return parse(response);
  }

  private HttpResponse<byte[]> send(String method, ApiPath path, String type, BodyPublisher body) {
    URI target = URI.create(base + path.toString());
    try {
      for (int hop = 0; ; hop++) {
        HttpRequest.Builder request =
            HttpRequest.newBuilder(target).timeout(PATIENCE).method(method, body);
        token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        if (type != null) {
          request.header("Content-Type", type);
        }
        HttpResponse<byte[]> response =
            http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        Optional<String> elsewhere = response.headers().firstValue("Location");
        if (response.statusCode() != TEMPORARY_REDIRECT
            || elsewhere.isEmpty()
            || hop == MAX_REDIRECTS) {
          return response;
        }
        target = URI.create(elsewhere.get());
      }
    } catch (IOException e) {
      throw new CommandFailure(
          "the steering service at %s does not answer (%s); is it running? see --url"
              .formatted(target.resolve("/"), e),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailure("interrupted", e);
    }
  }

  private JsonNode parse(HttpResponse<byte[]> response) {
    try {
      return mapper.readTree(new String(response.body(), StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new CommandFailure("%s does not answer like a steering service".formatted(base), e);
    }
  }

  private void requireSuccess(HttpResponse<byte[]> response) {
    if (response.statusCode() / 100 == 2) {
      return;
    }
    JsonNode error = parse(response).path("error");
    if (error.isMissingNode()) {
      throw new CommandFailure("the steering service answered " + response.statusCode());
    }
    String field = error.path("field").asText("");
    String message = error.path("message").asText();
    boolean named = field.isEmpty() || field.equals("null") || message.startsWith(field + ":");
    throw new CommandFailure(named ? message : field + ": " + message);
  }
}
