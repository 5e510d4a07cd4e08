package io.lensflow.client.json;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/**
 * One JSON object that is being read, and where it stands in the whole. Every getter notes the name
 * it was asked for, so that {@link #refuseOthers} knows what the object may hold. An absent field
 * and null are the same and give the default. For one thread.
 */
final class JsonFields {
  private final JsonNode node;
  private final String path;
  private final Set<String> known = new LinkedHashSet<>();

  /**
   * @param path of the object; empty at the root
   * @throws InvalidRequestException if the node is not an object
   */
  JsonFields(JsonNode node, String path) {
    if (!node.isObject()) {
      throw new InvalidRequestException(
          path.isEmpty() ? null : path,
          (path.isEmpty() ? "the body" : path) + " must be a JSON object, not " + kind(node));
    }
    this.node = node;
    this.path = path;
  }

  /** Path of a field of this object. */
  String path(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  /** The field's value, or null where it is absent or null. */
  JsonNode get(String name) {
    known.add(name);
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? null : value;
  }

  String text(String name, String orElse, int maxChars) {
    JsonNode value = get(name);
    return value == null ? orElse : text(value, path(name), maxChars);
  }

  static String text(JsonNode value, String path, int maxChars) {
    if (!value.isTextual()) {
      throw new InvalidRequestException(path, path + " must be a string, not " + kind(value));
    }
    return checkText(value.textValue(), path, maxChars);
  }

  static String checkText(String text, String path, int maxChars) {
    if (text.length() > maxChars) {
      throw new InvalidRequestException(
          path,
          "%s has %d characters; at most %d are allowed".formatted(path, text.length(), maxChars));
    }
    if (hasLoneSurrogate(text)) {
      throw new InvalidRequestException(
          path, path + " has a lone surrogate, which is half a character; send whole ones");
    }
    return text;
  }

  boolean bool(String name, boolean orElse) {
    Boolean value = boolOrNull(name);
    return value == null ? orElse : value;
  }

  Boolean boolOrNull(String name) {
    JsonNode value = get(name);
    if (value != null && !value.isBoolean()) {
      throw new InvalidRequestException(
          path(name), path(name) + " must be true or false, not " + kind(value));
    }
    return value == null ? null : value.booleanValue();
  }

  int integer(String name, int orElse, int min, int max) {
    Long value = integerOrNull(name, min, max);
    return value == null ? orElse : value.intValue();
  }

  Long integerOrNull(String name, long min, long max) {
    JsonNode value = get(name);
    return value == null ? null : integer(value, path(name), min, max);
  }

  static long integer(JsonNode value, String path, long min, long max) {
    if (!value.isIntegralNumber()) {
      throw new InvalidRequestException(path, path + " must be a whole number, not " + kind(value));
    }
    if (!value.canConvertToLong() || value.longValue() < min || value.longValue() > max) {
      throw new InvalidRequestException(
          path, "%s is %s; it must lie in %d … %d".formatted(path, brief(value), min, max));
    }
    return value.longValue();
  }

  float number(String name, float orElse, double min, double max) {
    JsonNode value = get(name);
    if (value == null) {
      return orElse;
    }
    if (!value.isNumber()) {
      throw new InvalidRequestException(
          path(name), path(name) + " must be a number, not " + kind(value));
    }
    double number = value.doubleValue();
    if (!(number >= min && number <= max)) {
      throw new InvalidRequestException(
          path(name),
          "%s is %s; it must lie in %s … %s"
              .formatted(path(name), brief(value), plain(min), plain(max)));
    }
    return (float) number;
  }

  /** An enum's symbol in any case; {@code UNKNOWN} is for readers, nobody may ask for it. */
  <E extends Enum<E>> E symbol(String name, Class<E> type, E orElse) {
    JsonNode value = get(name);
    return value == null ? orElse : symbol(value, path(name), type);
  }

  static <E extends Enum<E>> E symbol(JsonNode value, String path, Class<E> type) {
    String text = text(value, path, 100);
    List<String> valid =
        Stream.of(type.getEnumConstants())
            .map(Enum::name)
            .filter(s -> !s.equals("UNKNOWN"))
            .toList();
    String symbol = text.toUpperCase(Locale.ROOT).replace('-', '_');
    if (!valid.contains(symbol)) {
      throw new InvalidRequestException(
          path,
          "%s: there is no '%s'%s; use one of %s"
              .formatted(path, brief(text), Nearest.hint(symbol, valid), String.join(", ", valid)));
    }
    return Enum.valueOf(type, symbol);
  }

  /** An array, each element read with its own path; null where the field is absent. */
  <T> List<T> list(String name, int maxItems, BiFunction<JsonNode, String, T> reader) {
    JsonNode value = get(name);
    return value == null ? null : list(value, path(name), maxItems, reader);
  }

  static <T> List<T> list(
      JsonNode value, String path, int maxItems, BiFunction<JsonNode, String, T> reader) {
    if (!value.isArray()) {
      throw new InvalidRequestException(path, path + " must be an array, not " + kind(value));
    }
    if (value.size() > maxItems) {
      throw new InvalidRequestException(
          path,
          "%s has %d elements; at most %d are allowed".formatted(path, value.size(), maxItems));
    }
    List<T> list = new ArrayList<>(value.size());
    for (int i = 0; i < value.size(); i++) {
      list.add(reader.apply(value.get(i), path + "[" + i + "]"));
    }
    return list;
  }

  /** An object of strings. */
  Map<String, String> strings(String name, int maxEntries, int maxChars) {
    JsonNode value = get(name);
    Map<String, String> map = new LinkedHashMap<>();
    if (value == null) {
      return map;
    }
    JsonFields object = new JsonFields(value, path(name));
    if (value.size() > maxEntries) {
      throw new InvalidRequestException(
          path(name),
          "%s has %d entries; at most %d are allowed"
              .formatted(path(name), value.size(), maxEntries));
    }
    for (Map.Entry<String, JsonNode> entry : value.properties()) {
      String key = checkText(entry.getKey(), path(name), maxChars);
      map.put(key, text(entry.getValue(), object.path(key), maxChars));
    }
    return map;
  }

  /**
   * To be called when everything was read.
   *
   * @throws InvalidRequestException for a field that nobody asked for, with the nearest known name
   */
  void refuseOthers() {
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!known.contains(entry.getKey())) {
        throw unknown(brief(path(entry.getKey())), brief(entry.getKey()), known);
      }
    }
  }

  private static InvalidRequestException unknown(
      String path, String name, Collection<String> known) {
    return new InvalidRequestException(
        path,
        "there is no field '%s'%s; known here are %s"
            .formatted(path, Nearest.hint(name, known), String.join(", ", known)));
  }

  private static boolean hasLoneSurrogate(String text) {
    return text.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }

  private static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      case STRING -> "a string";
      case BOOLEAN -> "true or false";
      case NUMBER -> node.isIntegralNumber() ? "a whole number" : "the number " + brief(node);
      case NULL, MISSING -> "null";
      default -> "something else";
    };
  }

  private static String brief(JsonNode number) {
    return brief(number.asText());
  }

  /** What a caller sent is quoted in the error, but not a megabyte of it. */
  private static String brief(String text) {
    return text.length() > 100 ? text.substring(0, 100) + "…" : text;
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) && Math.abs(bound) < 1e15
        ? Long.toString((long) bound)
        : Double.toString(bound);
  }
}
