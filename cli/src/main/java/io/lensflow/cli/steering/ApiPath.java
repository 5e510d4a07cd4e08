package io.lensflow.cli.steering;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** A path of the steering service's API with its query. Immutable. */
public final class ApiPath {
  private final String path;
  private final Map<String, String> query;

  private ApiPath(String path, Map<String, String> query) {
    this.path = path;
    this.query = query;
  }

  /** Something of a model: {@code vectors}, {@code policies}, {@code similarity}. */
  public static ApiPath model(String model, String what) {
    return new ApiPath("/v1/models/" + encode(model) + "/" + what, Map.of());
  }

  /** A vector. */
  public static ApiPath vector(String model, String name) {
    return model(model, "vectors").then(name);
  }

  /** A policy. */
  public static ApiPath policy(String model, String name) {
    return model(model, "policies").then(name);
  }

  /** All models that are served. */
  public static ApiPath models() {
    return new ApiPath("/v1/models", Map.of());
  }

  /** All jobs. */
  public static ApiPath jobs() {
    return new ApiPath("/v1/jobs", Map.of());
  }

  /** What lies below. */
  public ApiPath then(String... segments) {
    StringBuilder longer = new StringBuilder(path);
    for (String segment : segments) {
      longer.append('/').append(encode(segment));
    }
    return new ApiPath(longer.toString(), query);
  }

  /** With a parameter in the query; one that is null is left out. */
  public ApiPath with(String name, Object value) {
    if (value == null) {
      return this;
    }
    Map<String, String> more = new LinkedHashMap<>(query);
    more.put(
        name, value instanceof Duration duration ? duration.toMillis() + "ms" : value.toString());
    return new ApiPath(path, more);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** As it stands in a URL. */
  @Override
  public String toString() {
    String pairs =
        query.entrySet().stream()
            .map(entry -> entry.getKey() + "=" + encode(entry.getValue()))
            .collect(Collectors.joining("&"));
    return pairs.isEmpty() ? path : path + "?" + pairs;
  }
}
