package io.lensflow.ingest.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The description of the API: one YAML file, served as it is and as JSON. Thread-safe. */
public final class OpenApiRoutes {
  private static final String RESOURCE = "/io/lensflow/ingest/openapi.yaml";

  private final String yaml;
  private final String json;

  public OpenApiRoutes() {
    try (InputStream in = OpenApiRoutes.class.getResourceAsStream(RESOURCE)) {
      this.yaml = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      this.json = new ObjectMapper().writeValueAsString(new YAMLMapper().readTree(yaml));
    } catch (IOException e) {
      throw new UncheckedIOException("the API's description cannot be read", e);
    }
  }

  List<Route> routes() {
    return List.of(
        new Route(
            "GET",
            "/openapi.yaml",
            ctx -> ctx.contentType("application/yaml; charset=utf-8").result(yaml)),
        new Route("GET", "/openapi.json", ctx -> ctx.contentType("application/json").result(json)));
  }
}
