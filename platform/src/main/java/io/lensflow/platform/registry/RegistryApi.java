package io.lensflow.platform.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.kafka.common.KafkaException;

/**
 * Confluent's REST API, the part that serialisers, consoles and administrators use. Deleting is
 * left out: records of deleted schemas could not be read again. Thread-safe.
 */
final class RegistryApi {
  private static final String CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SchemaStore store;

  RegistryApi(SchemaStore store) {
    this.store = store;
  }

  void addTo(RoutesConfig routes) {
    routes.get("/", ctx -> answer(ctx, JSON.createObjectNode()));
    routes.get("/subjects", ctx -> answer(ctx, store.subjects()));
    routes.post("/subjects/{subject}", this::lookUp);
    routes.get("/subjects/{subject}/versions", this::versions);
    routes.post("/subjects/{subject}/versions", this::register);
    routes.get(
        "/subjects/{subject}/versions/{version}", ctx -> answer(ctx, describe(version(ctx))));
    routes.get(
        "/subjects/{subject}/versions/{version}/schema",
        ctx -> answerText(ctx, version(ctx).schema()));
    routes.get("/schemas/types", ctx -> answer(ctx, List.of("AVRO")));
    routes.get("/schemas/ids/{id}", this::schema);
    routes.get(
        "/schemas/ids/{id}/subjects",
        ctx -> answer(ctx, uses(ctx).stream().map(SchemaVersion::subject).distinct().toList()));
    routes.get(
        "/schemas/ids/{id}/versions",
        ctx -> answer(ctx, uses(ctx).stream().map(RegistryApi::name).toList()));
    routes.post("/compatibility/subjects/{subject}/versions", this::compatibleWithAll);
    routes.post("/compatibility/subjects/{subject}/versions/{version}", this::compatibleWithOne);
    routes.get("/config", ctx -> answer(ctx, level(store.globalLevel())));
    routes.put("/config", ctx -> setLevel(ctx, null));
    routes.get("/config/{subject}", this::subjectLevel);
    routes.put("/config/{subject}", ctx -> setLevel(ctx, ctx.pathParam("subject")));
    routes.get("/mode", ctx -> answer(ctx, JSON.createObjectNode().put("mode", "READWRITE")));
    routes.exception(
        RegistryError.class, (e, ctx) -> fail(ctx, e.status(), e.code(), e.getMessage()));
    routes.exception(
        HttpResponseException.class,
        (e, ctx) -> fail(ctx, e.getStatus(), e.getStatus(), e.getMessage()));
    routes.exception(
        KafkaException.class,
        (e, ctx) -> fail(ctx, 500, RegistryError.STORE_FAILED, "The broker failed: " + e));
  }

  private void versions(Context ctx) {
    answer(ctx, subject(ctx).stream().map(SchemaVersion::version).toList());
  }

  private void register(Context ctx) {
    int id = store.register(ctx.pathParam("subject"), schemaOf(ctx));
    answer(ctx, JSON.createObjectNode().put("id", id));
  }

  private void lookUp(Context ctx) {
    Schema schema = schemaOf(ctx);
    String subject = ctx.pathParam("subject");
    SchemaVersion version =
        store
            .lookUp(subject, schema)
            .orElseThrow(
                () ->
                    store.versions(subject).isEmpty()
                        ? RegistryError.subjectNotFound(subject)
                        : RegistryError.schemaNotFound());
    answer(ctx, describe(version));
  }

  private void schema(Context ctx) {
    int id = id(ctx);
    SchemaVersion version = store.byId(id).orElseThrow(() -> RegistryError.idNotFound(id));
    answer(ctx, JSON.createObjectNode().put("schema", version.schema()));
  }

  private void compatibleWithAll(Context ctx) {
    String subject = ctx.pathParam("subject");
    CompatibilityLevel level = store.effectiveLevel(subject);
    answerCompatible(ctx, level.problems(schemaOf(ctx), store.versions(subject)));
  }

  private void compatibleWithOne(Context ctx) {
    CompatibilityLevel level = store.effectiveLevel(ctx.pathParam("subject"));
    answerCompatible(ctx, level.problemsWith(schemaOf(ctx), version(ctx)));
  }

  private static void answerCompatible(Context ctx, List<String> problems) {
    ObjectNode answer = JSON.createObjectNode().put("is_compatible", problems.isEmpty());
    if (Boolean.parseBoolean(ctx.queryParam("verbose"))) {
      answer.set("messages", JSON.valueToTree(problems));
    }
    answer(ctx, answer);
  }

  private void subjectLevel(Context ctx) {
    String subject = ctx.pathParam("subject");
    boolean orGlobal = Boolean.parseBoolean(ctx.queryParam("defaultToGlobal"));
    CompatibilityLevel level =
        orGlobal
            ? store.effectiveLevel(subject)
            : store.level(subject).orElseThrow(() -> RegistryError.noSubjectCompatibility(subject));
    answer(ctx, level(level));
  }

  private void setLevel(Context ctx, String subject) {
    String text = body(ctx).path("compatibility").asText();
    CompatibilityLevel level;
    try {
      level = CompatibilityLevel.valueOf(text);
    } catch (IllegalArgumentException e) {
      throw RegistryError.invalidCompatibility(text);
    }
    store.setLevel(subject, level);
    answer(ctx, JSON.createObjectNode().put("compatibility", level.name()));
  }

  private List<SchemaVersion> subject(Context ctx) {
    String subject = ctx.pathParam("subject");
    List<SchemaVersion> versions = store.versions(subject);
    if (versions.isEmpty()) {
      throw RegistryError.subjectNotFound(subject);
    }
    return versions;
  }

  private SchemaVersion version(Context ctx) {
    List<SchemaVersion> versions = subject(ctx);
    String text = ctx.pathParam("version");
    if (text.equals("latest") || text.equals("-1")) {
      return versions.get(versions.size() - 1);
    }
    int number = number(text);
    if (number < 1) {
      throw RegistryError.invalidVersion(text);
    }
    return versions.stream()
        .filter(version -> version.version() == number)
        .findFirst()
        .orElseThrow(() -> RegistryError.versionNotFound(number));
  }

  private List<SchemaVersion> uses(Context ctx) {
    int id = id(ctx);
    List<SchemaVersion> uses = store.byId(id).map(version -> store.uses(id)).orElse(List.of());
    if (uses.isEmpty()) {
      throw RegistryError.idNotFound(id);
    }
    return uses;
  }

  private static int id(Context ctx) {
    int id = number(ctx.pathParam("id"));
    if (id < 0) {
      throw RegistryError.schemaNotFound();
    }
    return id;
  }

  /** The number in a path; −1 if there is none. */
  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private static Schema schemaOf(Context ctx) {
    JsonNode body = body(ctx);
    String type = body.path("schemaType").asText("AVRO");
    if (!type.equals("AVRO")) {
      throw RegistryError.invalidSchema("schemaType " + type + " is not supported, only AVRO is");
    }
    if (!body.path("references").isEmpty()) {
      throw RegistryError.invalidSchema("references are not supported: put the types in place");
    }
    if (!body.path("schema").isTextual()) {
      throw RegistryError.invalidSchema("the body must have the text field 'schema'");
    }
    try {
      return new Schema.Parser().parse(body.get("schema").asText());
    } catch (AvroRuntimeException e) {
      throw RegistryError.invalidSchema(e.getMessage());
    }
  }

  private static JsonNode body(Context ctx) {
    try {
      return JSON.readTree(ctx.bodyAsBytes());
    } catch (JsonProcessingException e) {
      throw RegistryError.invalidSchema("the body is not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw RegistryError.invalidSchema("the body cannot be read: " + e.getMessage());
    }
  }

  private static JsonNode describe(SchemaVersion version) {
    return name(version).put("id", version.id()).put("schema", version.schema());
  }

  private static ObjectNode name(SchemaVersion version) {
    return JSON.createObjectNode()
        .put("subject", version.subject())
        .put("version", version.version());
  }

  private static JsonNode level(CompatibilityLevel level) {
    return JSON.createObjectNode().put("compatibilityLevel", level.name());
  }

  private static void answer(Context ctx, Object body) {
    answerText(ctx, JSON.valueToTree(body).toString());
  }

  /** As bytes: the content type names no charset, and text would go out as Latin-1. */
  private static void answerText(Context ctx, String text) {
    ctx.contentType(CONTENT_TYPE).result(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void fail(Context ctx, int status, int code, String message) {
    ctx.status(status);
    answer(ctx, JSON.createObjectNode().put("error_code", code).put("message", message));
  }
}
