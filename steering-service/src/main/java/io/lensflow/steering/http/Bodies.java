package io.lensflow.steering.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.javalin.http.Context;
import io.lensflow.service.ApiException;
import io.lensflow.steering.vector.RefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.TreeSet;

/** Reads bodies of requests: bounded, strict, and with errors that name the field. Thread-safe. */
final class Bodies {
  private final ObjectMapper mapper =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .build();

  private final long maxBytes;

  /**
   * @param maxBytes largest body
   */
  Bodies(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * The body as {@code type}.
   *
   * @throws ApiException if it is larger than allowed
   * @throws RefusedException if it is not JSON of that type
   */
  <T> T read(Context ctx, Class<T> type) throws IOException {
    return parse(bytes(ctx), type);
  }

  /**
   * A body as {@code type}.
   *
   * @throws RefusedException if it is not JSON of that type
   */
  <T> T parse(byte[] body, Class<T> type) throws IOException {
    try {
      T value = mapper.readValue(body, type);
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
    if (type == Integer.class) {
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

  /**
   * The body as it is.
   *
   * @throws ApiException if it is larger than allowed
   */
  byte[] bytes(Context ctx) throws IOException {
    try (InputStream in = ctx.bodyInputStream()) {
      byte[] body = in.readNBytes(Math.toIntExact(Math.min(maxBytes + 1, Integer.MAX_VALUE - 8)));
      if (body.length > maxBytes) {
        throw new ApiException(
            413,
            "TOO_LARGE",
            "the body is larger than %d bytes; publish fewer sites at a time, or raise lensflow.steering.max-body-bytes"
                .formatted(maxBytes),
            null);
      }
      return body;
    }
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
