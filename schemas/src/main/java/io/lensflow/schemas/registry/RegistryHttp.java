package io.lensflow.schemas.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.TimeUnit;

/** JSON over HTTP to one registry: paths, authentication, retries, errors in words. Thread-safe. */
final class RegistryHttp {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
  private static final int TRIES = 3;
  private static final long RETRY_MILLIS = 200;

  private final String base;
  private final String authorization;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  RegistryHttp(URI registry) {
    if (registry.getHost() == null || !String.valueOf(registry.getScheme()).startsWith("http")) {
      throw new IllegalArgumentException(
          "The schema registry's address must look like http://host:8081, not " + registry);
    }
    String user = registry.getUserInfo();
    this.authorization =
        user == null
            ? null
            : "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
    this.base = withoutUser(registry);
  }

  JsonNode get(String path) {
    return send("GET", path, null);
  }

  /** All calls of this client may be repeated: registering a schema twice gives the same id. */
  JsonNode send(String method, String path, JsonNode body) {
    for (int tried = 1; ; tried++) {
      try {
        return sendOnce(method, path, body);
      } catch (SchemaRegistryException e) {
        if (!e.isRetryable() || tried == TRIES) {
          throw e;
        }
        pause(e);
      }
    }
  }

  SchemaRegistryException unexpected(String what) {
    return new SchemaRegistryException("The schema registry at " + base + " gave " + what, 200, 0);
  }

  private JsonNode sendOnce(String method, String path, JsonNode body) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + path))
            .timeout(REQUEST_TIMEOUT)
            .header("Accept", CONTENT_TYPE + ", application/json")
            .header("Content-Type", CONTENT_TYPE)
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body.toString()));
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    HttpResponse<String> response;
    try {
      response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new SchemaRegistryException(
          "Cannot reach the schema registry at %s (%s %s: %s); is it running, and the address right?"
              .formatted(base, method, path, reason),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SchemaRegistryException("Interrupted while asking " + base, e);
    }
    return read(method, path, response);
  }

  private JsonNode read(String method, String path, HttpResponse<String> response) {
    JsonNode answer;
    try {
      answer = JSON.readTree(response.body());
    } catch (JsonProcessingException e) {
      answer = JSON.missingNode();
    }
    if (response.statusCode() == 200 && !answer.isMissingNode()) {
      return answer;
    }
    String reason = answer.path("message").asText(response.body());
    throw new SchemaRegistryException(
        "The schema registry at %s answered %d to %s %s: %s"
            .formatted(base, response.statusCode(), method, path, reason),
        response.statusCode(),
        answer.path("error_code").asInt(0));
  }

  private static void pause(SchemaRegistryException reason) {
    try {
      TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw reason;
    }
  }

  private static String withoutUser(URI registry) {
    String port = registry.getPort() < 0 ? "" : ":" + registry.getPort();
    String path = registry.getRawPath() == null ? "" : registry.getRawPath();
    String whole = registry.getScheme() + "://" + registry.getHost() + port + path;
    return whole.endsWith("/") ? whole.substring(0, whole.length() - 1) : whole;
  }
}
