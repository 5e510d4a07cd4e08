package io.lensflow.steering;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Speaks to one instance of the service; follows no redirect by itself. */
public final class SteeringHttp {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

  private final URI base;
  private final String token;

  public SteeringHttp(int port) {
    this(URI.create("http://127.0.0.1:" + port), null);
  }

  private SteeringHttp(URI base, String token) {
    this.base = base;
    this.token = token;
  }

  /** The same, showing a token. */
  public SteeringHttp withToken(String token) {
    return new SteeringHttp(base, token);
  }

  /** What came back. */
  public record Answer(int status, String text, HttpResponse<String> response) {
    /** The body as JSON. */
    public JsonNode json() {
      try {
        return JSON.readTree(text);
      } catch (IOException e) {
        throw new UncheckedIOException(text, e);
      }
    }

    /** A header, or null. */
    public String header(String name) {
      return response.headers().firstValue(name).orElse(null);
    }
  }

  public Answer get(String path) {
    return send("GET", path, null);
  }

  public Answer post(String path, String json) {
    return send("POST", path, json);
  }

  public Answer put(String path, String json) {
    return send("PUT", path, json);
  }

  public Answer delete(String path) {
    return send("DELETE", path, null);
  }

  /** Publishes one value at layer 0 and returns what came back. */
  public Answer publish(String model, String name) {
    return post(vector(model, name), "{\"layer\": 0, \"values\": [1, 2]}");
  }

  /** Sends without waiting. JSON in single quotes is fine. */
  public CompletableFuture<Answer> sendAsync(String method, String path, String json) {
    return CLIENT
        .sendAsync(request(method, path, json), HttpResponse.BodyHandlers.ofString())
        .thenApply(response -> new Answer(response.statusCode(), response.body(), response));
  }

  /** Path of a vector. */
  public static String vector(String model, String name) {
    return "/v1/models/" + model + "/vectors/" + name;
  }

  private Answer send(String method, String path, String json) {
    return sendAsync(method, path, json).join();
  }

  /** The bytes of an answer that must be 200. */
  public byte[] bytes(String path) {
    HttpResponse<byte[]> response =
        CLIENT
            .sendAsync(request("GET", path, null), HttpResponse.BodyHandlers.ofByteArray())
            .join();
    if (response.statusCode() != 200) {
      throw new AssertionError(path + " answered " + response.statusCode());
    }
    return response.body();
  }

  /** Posts bytes as they are. */
  public Answer postBytes(String path, byte[] body) {
    HttpRequest request = builder(path).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
    HttpResponse<String> response =
        CLIENT.sendAsync(request, HttpResponse.BodyHandlers.ofString()).join();
    return new Answer(response.statusCode(), response.body(), response);
  }

  private HttpRequest request(String method, String path, String json) {
    return builder(path)
        .method(
            method,
            json == null
                ? HttpRequest.BodyPublishers.noBody()
                : HttpRequest.BodyPublishers.ofString(json.replace('\'', '"')))
        .build();
  }

  private HttpRequest.Builder builder(String path) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(base.resolve(path))
            .timeout(Duration.ofSeconds(30))
            .header("Lensflow-Actor", "tester");
    return token == null ? builder : builder.header("Authorization", "Bearer " + token);
  }
}
