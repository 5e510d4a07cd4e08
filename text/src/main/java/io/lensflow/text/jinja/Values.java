package io.lensflow.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What Python says of a value: its type's name, its truth, its length, what it iterates over. */
final class Values {
  private static final BigInteger LONG_MIN = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger LONG_MAX = BigInteger.valueOf(Long.MAX_VALUE);

  private Values() {}

  /**
   * A caller's value as a template's: copied, so that neither sees the other's changes.
   *
   * @throws IllegalArgumentException for anything but what JSON knows
   */
  static Object of(Object value) {
    if (value == null || value instanceof String || value instanceof Boolean) {
      return value;
    } else if (value instanceof Long || value instanceof Double) {
      return value;
    } else if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    } else if (value instanceof BigInteger big) {
      return integer(big);
    } else if (value instanceof Float || value instanceof BigDecimal) {
      return ((Number) value).doubleValue();
    } else if (value instanceof List<?> list) {
      List<Object> copy = new ArrayList<>(list.size());
      for (Object item : list) {
        copy.add(of(item));
      }
      return Collections.unmodifiableList(copy);
    } else if (value instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new LinkedHashMap<>(map.size() * 2);
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        if (!(entry.getKey() instanceof String key)) {
          throw new IllegalArgumentException("a key of a template's variable must be a string");
        }
        copy.put(key, of(entry.getValue()));
      }
      return Collections.unmodifiableMap(copy);
    }
    throw new IllegalArgumentException(
        "a template's variable cannot be a " + value.getClass().getName());
  }

  /** A whole number in the form that all others of its size have. */
  static Object integer(BigInteger value) {
    return value.compareTo(LONG_MIN) >= 0 && value.compareTo(LONG_MAX) <= 0
        ? (Object) value.longValue()
        : value;
  }

  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof BigInteger;
  }

  /** Whether Python counts it as a number; True and False are. */
  static boolean isNumber(Object value) {
    return isInteger(value) || value instanceof Double || value instanceof Boolean;
  }

  static boolean isTrue(Object value) {
    if (value instanceof Boolean b) {
      return b;
    } else if (value == null || value instanceof Undefined) {
      return false;
    } else if (value instanceof String text) {
      return !text.isEmpty();
    } else if (value instanceof Long number) {
      return number != 0;
    } else if (value instanceof Double number) {
      return number != 0;
    } else if (value instanceof Markup markup) {
      return !markup.text().isEmpty();
    } else if (value instanceof Collection<?> items) {
      return !items.isEmpty();
    } else if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return true;
  }

  /** {@code len(value)}. */
  static int length(Object value) {
    if (value instanceof String text) {
      return text.codePointCount(0, text.length());
    } else if (value instanceof Collection<?> items) {
      return items.size();
    } else if (value instanceof Map<?, ?> map) {
      return map.size();
    } else if (value instanceof Undefined) {
      return 0;
    } else if (value instanceof LoopState loop) {
      return loop.length();
    }
    throw new JinjaException("object of type '%s' has no len()".formatted(typeName(value)));
  }

  static boolean isIterable(Object value) {
    return value instanceof String
        || value instanceof Iterable<?>
        || value instanceof Map<?, ?>
        || value instanceof Undefined;
  }

  /** {@code iter(value)}: characters of a string, keys of a dict. */
  @SuppressWarnings("unchecked")
  static Iterator<Object> iterate(Object value) {
    if (value instanceof Iterable<?> items) {
      return (Iterator<Object>) items.iterator();
    } else if (value instanceof Map<?, ?> map) {
      return (Iterator<Object>) map.keySet().iterator();
    } else if (value instanceof Undefined) {
      return Collections.emptyIterator();
    } else if (value instanceof String text) {
      return text.codePoints().<Object>mapToObj(Character::toString).iterator();
    }
    throw new JinjaException("'%s' object is not iterable".formatted(typeName(value)));
  }

  /** {@code list(value)}. */
  static List<Object> list(Object value) {
    List<Object> list = new ArrayList<>();
    iterate(value).forEachRemaining(list::add);
    return list;
  }

  static String typeName(Object value) {
    if (value == null) {
      return "NoneType";
    } else if (value instanceof String) {
      return "str";
    } else if (value instanceof Markup) {
      return "Markup";
    } else if (value instanceof Boolean) {
      return "bool";
    } else if (isInteger(value)) {
      return "int";
    } else if (value instanceof Double) {
      return "float";
    } else if (value instanceof Tuple) {
      return "tuple";
    } else if (value instanceof Range) {
      return "range";
    } else if (value instanceof List<?>) {
      return "list";
    } else if (value instanceof Map<?, ?>) {
      return "dict";
    } else if (value instanceof DictView view) {
      return view.name();
    } else if (value instanceof Generator) {
      return "generator";
    } else if (value instanceof Namespace) {
      return "Namespace";
    } else if (value instanceof LoopState) {
      return "LoopContext";
    } else if (value instanceof Undefined) {
      return "Undefined";
    }
    return "function";
  }
}
