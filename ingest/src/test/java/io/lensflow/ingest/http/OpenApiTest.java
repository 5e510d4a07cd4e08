package io.lensflow.ingest.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.lensflow.ingest.stream.EventId;
import io.lensflow.records.Capture;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.Sampling;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringRequest;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;

/** Holds the description against the code: routes, fields, symbols, references. */
class OpenApiTest {
  /** Served by every service, not by this module's routes. */
  private static final Set<String> OPERATORS =
      Set.of("GET /healthz", "GET /readyz", "GET /metrics");

  private static final Set<String> METHODS = Set.of("get", "put", "post", "delete", "patch");

  private final JsonNode api;

  OpenApiTest() throws IOException {
    try (InputStream in = getClass().getResourceAsStream("/io/lensflow/ingest/openapi.yaml")) {
      api = new YAMLMapper().readTree(in);
    }
  }

  @Test
  void shouldDescribeEveryRouteAndNoOther() {
    Api routes =
        new Api(
            new RequestRoutes(null, null, 0, null),
            new EventRoutes(null),
            new ModelRoutes(null),
            new OpenApiRoutes(),
            List.of());
    Set<String> served = new TreeSet<>(OPERATORS);
    routes.routes().forEach(route -> served.add(route.method() + " " + route.path()));

    Set<String> described = new TreeSet<>();
    for (Map.Entry<String, JsonNode> path : api.path("paths").properties()) {
      for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
        if (METHODS.contains(operation.getKey())) {
          described.add(operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey());
        }
      }
    }

    assertThat(described).isEqualTo(served);
  }

  @Test
  void shouldNameTheRecordsFieldsWhenARequestIsDescribed() {
    Set<String> request = fields(PromptRequest.getClassSchema());
    request.remove("createdAt"); // the gateway's to say
    // Short forms, and what goes with them.
    request.addAll(Set.of("messages", "tokenIds", "tools", "templateVariables"));

    assertThat(properties("PromptRequest")).isEqualTo(request);
    assertThat(properties("Sampling")).isEqualTo(fields(Sampling.getClassSchema()));
    assertThat(properties("Capture")).isEqualTo(fields(Capture.getClassSchema()));
    assertThat(properties("Lens")).isEqualTo(fields(LensRequest.getClassSchema()));
    assertThat(properties("Steering")).isEqualTo(fields(SteeringRequest.getClassSchema()));
  }

  @Test
  void shouldListTheRecordsSymbolsWhenAnEnumIsDescribed() {
    JsonNode schemas = api.path("components").path("schemas");

    assertThat(symbols(schemas.path("HookPoint"))).isEqualTo(symbols(HookPoint.values()));
    assertThat(symbols(schemas.at("/Steering/properties/hookPoint")))
        .isEqualTo(symbols(HookPoint.values()));
    assertThat(symbols(schemas.at("/Steering/properties/operation")))
        .isEqualTo(symbols(SteeringOperation.values()));
    assertThat(symbols(schemas.at("/Lens/properties/metrics/items")))
        .isEqualTo(symbols(LensMetric.values()));
  }

  @Test
  void shouldResolveEveryReference() {
    List<String> references = new ArrayList<>();
    collect(api, references);

    assertThat(references)
        .isNotEmpty()
        .allSatisfy(
            reference -> assertThat(api.at(reference.substring(1)).isMissingNode()).isFalse());
  }

  @Test
  void shouldShowAnEventIdThatParsesWhenResumingIsDescribed() {
    String example =
        api.at("/paths/~1v1~1requests~1{id}~1events/get/parameters/4/schema/example").textValue();

    assertThat(EventId.parse(example, false)).hasToString(example);
  }

  private static void collect(JsonNode node, List<String> references) {
    if (node.path("$ref").isTextual()) {
      references.add(node.path("$ref").textValue());
    }
    node.forEach(child -> collect(child, references));
  }

  private Set<String> properties(String schema) {
    Set<String> names = new TreeSet<>();
    api.path("components")
        .path("schemas")
        .path(schema)
        .path("properties")
        .fieldNames()
        .forEachRemaining(names::add);
    return names;
  }

  private static Set<String> fields(Schema schema) {
    return schema.getFields().stream()
        .map(Schema.Field::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> symbols(JsonNode schema) {
    Set<String> symbols = new TreeSet<>();
    schema.path("enum").forEach(symbol -> symbols.add(symbol.asText()));
    symbols.remove("null"); // a nullable enum lists null
    return symbols;
  }

  private static Set<String> symbols(Enum<?>[] values) {
    return Arrays.stream(values)
        .map(Enum::name)
        .filter(name -> !name.equals("UNKNOWN"))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
