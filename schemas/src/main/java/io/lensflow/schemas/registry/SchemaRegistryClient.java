package io.lensflow.schemas.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParseException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Speaks Confluent's REST API, and so serves Confluent's registry, Karapace, Redpanda, Apicurio
 * (under its path {@code /apis/ccompat/v7}) and the embedded one. Ids and schemas never change, so
 * both are cached for ever. Thread-safe.
 *
 * <p>Every call may throw {@link SchemaRegistryException}. User name and password in the address
 * ({@code https://user:password@host}) are sent as basic authentication and never logged.
 */
public final class SchemaRegistryClient implements SchemaIds {
  /** Every reader reads every writer, whichever is older, over all versions. */
  public static final String FULL_TRANSITIVE = "FULL_TRANSITIVE";

  private static final Logger log = LoggerFactory.getLogger(SchemaRegistryClient.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final RegistryHttp http;
  private final Map<Registration, Integer> ids = new ConcurrentHashMap<>();
  private final Map<Integer, Schema> schemas = new ConcurrentHashMap<>();

  private record Registration(String subject, Schema schema) {}

  /** A client of the registry at an address such as {@code http://localhost:8081}. */
  public SchemaRegistryClient(URI registry) {
    this.http = new RegistryHttp(registry);
  }

  /**
   * The id of a schema under a subject; where the registry does not know it yet, the subject's
   * compatibility is set to {@link #FULL_TRANSITIVE} (unless someone chose another) and the schema
   * registered. Writers whose schema is known need no right to write.
   *
   * @throws SchemaRegistryException with the registry's reasons if the schema breaks the subject's
   *     compatibility
   */
  @Override
  public int idOf(String subject, Schema schema) {
    Registration registration = new Registration(subject, schema);
    Integer known = ids.get(registration);
    if (known == null) {
      String text = PortableSchema.of(schema);
      known = lookUp(subject, text);
      if (known == null) {
        requireFullTransitive(subject);
        known = register(subject, text);
      }
      ids.put(registration, known);
    }
    return known;
  }

  /** The schema with an id; not found if the registry never gave it out. */
  public Schema schemaOf(int id) {
    Schema known = schemas.get(id);
    if (known == null) {
      known = parse(id, http.get("/schemas/ids/" + id).path("schema").asText());
      schemas.put(id, known);
    }
    return known;
  }

  /** All subjects. */
  public List<String> subjects() {
    return elements(http.get("/subjects")).map(JsonNode::asText).toList();
  }

  /** Versions of a subject, rising; not found if it has none. */
  public List<Integer> versions(String subject) {
    return elements(http.get(path(subject) + "/versions")).map(JsonNode::asInt).toList();
  }

  /** The compatibility chosen for a subject; null if none was and the registry's default holds. */
  public String compatibility(String subject) {
    try {
      return http.get("/config/" + encode(subject)).path("compatibilityLevel").asText(null);
    } catch (SchemaRegistryException e) {
      if (e.isNotFound()) {
        return null;
      }
      throw e;
    }
  }

  private void requireFullTransitive(String subject) {
    String chosen = compatibility(subject);
    if (chosen == null) {
      http.send(
          "PUT",
          "/config/" + encode(subject),
          JSON.createObjectNode().put("compatibility", FULL_TRANSITIVE));
    } else if (!chosen.equals(FULL_TRANSITIVE)) {
      log.warn(
          "Subject {} has compatibility {}; {} would keep old and new programs understanding"
              + " each other",
          subject,
          chosen,
          FULL_TRANSITIVE);
    }
  }

  private Integer lookUp(String subject, String schema) {
    try {
      return id(http.send("POST", path(subject), body(schema)));
    } catch (SchemaRegistryException e) {
      if (e.isNotFound()) {
        return null;
      }
      throw e;
    }
  }

  private int register(String subject, String schema) {
    return id(http.send("POST", path(subject) + "/versions", body(schema)));
  }

  private static JsonNode body(String schema) {
    return JSON.createObjectNode().put("schema", schema);
  }

  private int id(JsonNode answer) {
    if (!answer.path("id").isInt()) {
      throw http.unexpected("an answer without an id: " + answer);
    }
    return answer.path("id").intValue();
  }

  private Schema parse(int id, String text) {
    try {
      return new Schema.Parser().parse(text);
    } catch (SchemaParseException e) {
      throw http.unexpected("schema " + id + ", which is not Avro: " + e.getMessage());
    }
  }

  private static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  private static String path(String subject) {
    return "/subjects/" + encode(subject);
  }

  private static String encode(String segment) {
    return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
