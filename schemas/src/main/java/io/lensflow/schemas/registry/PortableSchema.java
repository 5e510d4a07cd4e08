package io.lensflow.schemas.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.avro.Schema;

/**
 * A schema as other languages should see it. The generated classes' schemas say which Java class
 * holds a string; the registry's do not, since they belong to everyone.
 */
final class PortableSchema {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String JAVA_STRING = "avro.java.string";

  private PortableSchema() {}

  /** The schema's JSON text, docs and defaults kept, Java's properties gone. */
  static String of(Schema schema) {
    try {
      return strip(JSON.readTree(schema.toString())).toString();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Avro writes its schemas as JSON", e);
    }
  }

  private static JsonNode strip(JsonNode node) {
    if (node instanceof ObjectNode object && object.remove(JAVA_STRING) != null) {
      // {"type": "string"} is "string"; a map keeps its values.
      if (object.size() == 1 && object.path("type").isTextual()) {
        return object.get("type");
      }
    }
    if (node instanceof ObjectNode object) {
      object.fieldNames().forEachRemaining(name -> object.set(name, strip(object.get(name))));
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        array.set(i, strip(array.get(i)));
      }
    }
    return node;
  }
}
