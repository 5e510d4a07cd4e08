package io.lensflow.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code json.dumps} of Python's standard library, which transformers makes the filter {@code
 * tojson}: separators, indentation, key order, escapes and numbers are its.
 */
final class JsonText {
  private final StringBuilder out = new StringBuilder();
  private final boolean ascii;
  private final boolean sortKeys;
  private final String indent;
  private final String itemSeparator;
  private final String keySeparator;

  private JsonText(
      boolean ascii, boolean sortKeys, String indent, String itemSeparator, String keySeparator) {
    this.ascii = ascii;
    this.sortKeys = sortKeys;
    this.indent = indent;
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
  }

  /** The filter {@code tojson(ensure_ascii=False, indent, separators, sort_keys)}. */
  static Object filter(Object value, Arguments arguments) {
    Arguments.Bound given =
        arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
    String indent = indent(given.get(1, null));
    String itemSeparator = indent == null ? ", " : ",";
    String keySeparator = ": ";
    if (given.get(2, null) != null) {
      List<Object> pair = Values.list(given.get(2));
      if (pair.size() != 2
          || !(pair.get(0) instanceof String item)
          || !(pair.get(1) instanceof String key)) {
        throw new JinjaException("tojson: separators must be a pair of strings");
      }
      itemSeparator = item;
      keySeparator = key;
    }
    JsonText json =
        new JsonText(
            given.flag(0, false), given.flag(3, false), indent, itemSeparator, keySeparator);
    json.write(value, 0);
    return json.out.toString();
  }

  private static String indent(Object value) {
    if (value == null || value instanceof String) {
      return (String) value;
    }
    if (value instanceof Long width) {
      return " ".repeat((int) Math.max(0, Math.min(width, 100)));
    }
    throw new JinjaException("tojson: indent must be a number, a string or none");
  }

  private void write(Object value, int depth) {
    if (value == null) {
      out.append("null");
    } else if (value instanceof Boolean) {
      out.append(value);
    } else if (value instanceof String || value instanceof Markup) {
      quote(value.toString());
    } else if (value instanceof Long || value instanceof BigInteger) {
      out.append(value);
    } else if (value instanceof Double number) {
      out.append(number(number));
    } else if (value instanceof List<?> list && !(value instanceof Range)) {
      writeList(list, depth);
    } else if (value instanceof Map<?, ?> map) {
      writeMap(map, depth);
    } else {
      String missing = value instanceof Undefined undefined ? ": " + undefined.reason() : "";
      throw new JinjaException(
          "Object of type %s is not JSON serializable%s"
              .formatted(Values.typeName(value), missing));
    }
  }

  private static String number(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    return Double.isInfinite(value)
        ? (value > 0 ? "Infinity" : "-Infinity")
        : PythonText.number(value);
  }

  private void writeList(List<?> list, int depth) {
    if (list.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    for (int i = 0; i < list.size(); i++) {
      out.append(i == 0 ? "" : itemSeparator);
      newLine(depth + 1);
      write(list.get(i), depth + 1);
    }
    newLine(depth);
    out.append(']');
  }

  private void writeMap(Map<?, ?> map, int depth) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
    if (sortKeys) {
      entries.sort((a, b) -> Operators.order(a.getKey(), b.getKey()));
    }
    out.append('{');
    for (int i = 0; i < entries.size(); i++) {
      out.append(i == 0 ? "" : itemSeparator);
      newLine(depth + 1);
      quote(key(entries.get(i).getKey()));
      out.append(keySeparator);
      write(entries.get(i).getValue(), depth + 1);
    }
    newLine(depth);
    out.append('}');
  }

  private static String key(Object key) {
    return key == null ? "null" : PythonText.str(key);
  }

  private void newLine(int depth) {
    if (indent != null) {
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void quote(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < ' ' || (ascii && c > '~')) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
