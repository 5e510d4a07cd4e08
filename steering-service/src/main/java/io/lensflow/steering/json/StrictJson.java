package io.lensflow.steering.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lensflow.steering.vector.RefusedException;
import java.io.IOException;
import java.util.List;
import java.util.TreeSet;

/** Reads bodies as records; what does not fit is refused with the field. Thread-safe. */
public final class StrictJson {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .build();

  private StrictJson() {}

  /** Reads a value. */
  @FunctionalInterface
  private interface Reading<T> {
    T value() throws IOException;
  }

  /**
   * A body as {@code type}.
   *
   * @throws RefusedException if it is not JSON of that type
   */
  public static <T> T read(byte[] body, Class<T> type) throws IOException {
    return read(() -> MAPPER.readValue(body, type));
  }

  /**
   * A body that was read as a tree, as {@code type}.
   *
   * @throws RefusedException if it is not of that type
   */
  public static <T> T read(JsonNode body, Class<T> type) {
    try {
      return read(() -> MAPPER.treeToValue(body, type));
    } catch (IOException e) {
      throw new IllegalStateException("a tree in memory cannot fail to be read", e);
    }
  }

  private static <T> T read(Reading<T> reading) throws IOException {
    try {
      T value = reading.value();
      if (value == null) {
        throw RefusedException.invalid(null, "the body must be a JSON object, not null");
      }
      return value;
    } catch (UnrecognizedPropertyException e) {
      throw RefusedException.invalid(
          path(e), "is not known here; known are " + new TreeSet<>(e.getKnownPropertyIds()));
    } catch (MismatchedInputException e) {
      throw RefusedException.invalid(path(e), "must be " + kind(e.getTargetType()));
    } catch (JsonMappingException e) {
      throw RefusedException.invalid(path(e), e.getOriginalMessage());
    } catch (JsonProcessingException e) {
      throw RefusedException.invalid(
          null,
          "the body is not JSON: %s (line %d, column %d)"
              .formatted(
                  e.getOriginalMessage(),
                  e.getLocation().getLineNr(),
                  e.getLocation().getColumnNr()));
    }
  }

  /** What JSON calls values of a Java type. */
  private static String kind(Class<?> type) {
    if (type == Integer.class || type == Long.class) {
      return "a whole number";
    }
    if (type == Double.class || type == float.class) {
      return "a number";
    }
    if (type == Boolean.class) {
      return "true or false";
    }
    if (type == String.class) {
      return "text";
    }
    if (type == JsonNode.class) {
      return "JSON";
    }
    return type != null && (type.isArray() || List.class.isAssignableFrom(type))
        ? "an array"
        : "a JSON object";
  }

  /** Such as {@code sites[0].values[3]}; null for the body itself. */
  private static String path(JsonMappingException e) {
    StringBuilder path = new StringBuilder();
    for (JsonMappingException.Reference reference : e.getPath()) {
      if (reference.getFieldName() == null) {
        path.append('[').append(reference.getIndex()).append(']');
      } else {
        path.append(path.isEmpty() ? "" : ".").append(reference.getFieldName());
      }
    }
    return path.isEmpty() ? null : path.toString();
  }
}
