package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Attributes, items and slices, looked up as Jinja's sandbox does. */
final class Subscripts {
  private Subscripts() {}

  /** {@code owner.name}: an attribute of the type, else the dict's item of that name. */
  static Object attribute(Object owner, String name) {
    if (owner instanceof Undefined undefined) {
      throw undefined.error();
    } else if (owner instanceof Attributes attributes) {
      return attributes.attribute(name);
    }
    Object method = Methods.of(owner, name);
    if (method != null) {
      return method;
    } else if (owner instanceof Map<?, ?> map) {
      return item(map, name);
    }
    return Undefined.attribute(owner, name);
  }

  private static Object item(Map<?, ?> map, String key) {
    Object value = map.get(key);
    return value == null && !map.containsKey(key) ? Undefined.attribute(map, key) : value;
  }

  /** {@code owner[key]}: an item, else the attribute of that name. */
  static Object item(Object owner, Object key) {
    if (owner instanceof Undefined undefined) {
      throw undefined.error();
    } else if (owner instanceof Map<?, ?> map) {
      Object found = key instanceof Boolean || key instanceof Double ? Operators.key(key) : key;
      if (map.containsKey(found)) {
        return map.get(found);
      }
    } else if (owner instanceof List<?> list && isIndex(key)) {
      int i = index(key, list.size());
      return i < 0 ? Undefined.item(owner, key) : list.get(i);
    } else if (owner instanceof String text && isIndex(key)) {
      int i = index(key, Values.length(text));
      return i < 0 ? Undefined.item(owner, key) : characters(text, i, i + 1);
    }
    if (key instanceof String name) {
      if (owner instanceof Attributes attributes) {
        return attributes.attribute(name);
      }
      Object method = Methods.of(owner, name);
      return method != null ? method : Undefined.attribute(owner, name);
    } else if (key instanceof Undefined) {
      return new Undefined(((Undefined) key).reason());
    }
    return Undefined.item(owner, key);
  }

  private static boolean isIndex(Object key) {
    return Values.isInteger(key) || key instanceof Boolean;
  }

  /** Where the index points to, or -1 beyond either end. */
  private static int index(Object key, int length) {
    if (!(key instanceof Long) && !(key instanceof Boolean)) {
      return -1;
    }
    long i = Operators.toInteger(key).longValue();
    long fromStart = i < 0 ? i + length : i;
    return fromStart >= 0 && fromStart < length ? (int) fromStart : -1;
  }

  /** {@code owner[start:stop:step]}, each null where it is left out. */
  static Object slice(Object owner, Object start, Object stop, Object step) {
    if (owner instanceof Undefined undefined) {
      throw undefined.error();
    } else if (owner instanceof String text) {
      int[] characters = text.codePoints().toArray();
      StringBuilder out = new StringBuilder();
      for (int i : indices(characters.length, start, stop, step)) {
        out.appendCodePoint(characters[i]);
      }
      return out.toString();
    } else if (owner instanceof Range) {
      throw JinjaException.unsupported("a slice of a range");
    } else if (owner instanceof List<?> list) {
      List<Object> out = new ArrayList<>();
      for (int i : indices(list.size(), start, stop, step)) {
        out.add(list.get(i));
      }
      return owner instanceof Tuple ? Tuple.copyOf(out) : out;
    }
    throw new JinjaException("'%s' object cannot be sliced".formatted(Values.typeName(owner)));
  }

  /** The indices that Python's {@code slice.indices} walks through. */
  private static int[] indices(int length, Object start, Object stop, Object step) {
    int by = step == null ? 1 : bound(step);
    if (by == 0) {
      throw new JinjaException("slice step cannot be zero");
    }
    int low = by > 0 ? 0 : -1;
    int high = by > 0 ? length : length - 1;
    int from = start == null ? (by > 0 ? low : high) : clamp(bound(start), length, low, high);
    int to = stop == null ? (by > 0 ? high : low) : clamp(bound(stop), length, low, high);
    int count = (int) Math.max(0, ((long) to - from + (by > 0 ? by - 1L : by + 1L)) / by);
    int[] indices = new int[count];
    for (int i = 0; i < count; i++) {
      indices[i] = from + i * by;
    }
    return indices;
  }

  private static int bound(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    } else if (!isIndex(value)) {
      throw new JinjaException("slice indices must be integers or None");
    }
    // Far beyond any length is as good as the number itself, and cannot overflow.
    long limit = 1 << 30;
    return value instanceof Long || value instanceof Boolean
        ? (int) Math.max(-limit, Math.min(limit, Operators.toInteger(value).longValue()))
        : (int) (Operators.toInteger(value).signum() * limit);
  }

  private static int clamp(int i, int length, int low, int high) {
    return Math.max(low, Math.min(high, i < 0 ? i + length : i));
  }

  /** Characters, counted in code points as Python counts. */
  static String characters(String text, int from, int to) {
    int start = text.offsetByCodePoints(0, from);
    return text.substring(start, text.offsetByCodePoints(start, to - from));
  }
}
