package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Methods of dicts and lists, and where a value's methods are found. */
final class Methods {
  /**
   * What changes a dict or list: Jinja's immutable sandbox, which transformers uses, forbids it.
   */
  private static final Set<String> DICT_CHANGES =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private static final Set<String> LIST_CHANGES =
      Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort");

  private Methods() {}

  /** The method bound to its owner, or null where the type has none of that name. */
  static Object of(Object owner, String name) {
    if (name.startsWith("__") && name.endsWith("__")) {
      return new Undefined(
          "access to attribute '%s' of '%s' object is unsafe."
              .formatted(name, Values.typeName(owner)));
    } else if (owner instanceof String text) {
      return StringMethods.of(text, name);
    } else if (owner instanceof Map<?, ?> map) {
      return ofDict(map, name);
    } else if (owner instanceof Tuple || owner instanceof List<?>) {
      return ofList((List<?>) owner, name);
    } else if (owner instanceof Boolean || Values.isNumber(owner)) {
      return ofNumber(owner, name);
    }
    return null;
  }

  private static Object ofDict(Map<?, ?> map, String name) {
    if (DICT_CHANGES.contains(name)) {
      return unsafe(map, name);
    }
    return switch (name) {
      case "get" -> (Callable) arguments -> get(map, arguments.bind("get", 1, "key", "default"));
      case "keys" ->
          view(arguments -> new DictView("dict_keys", new ArrayList<>(map.keySet())), name);
      case "values" ->
          view(arguments -> new DictView("dict_values", new ArrayList<>(map.values())), name);
      case "items" -> view(arguments -> new DictView("dict_items", items(map)), name);
      case "copy" -> view(arguments -> map, name);
      case "fromkeys" -> throw JinjaException.unsupported("the dict method fromkeys");
      default -> null;
    };
  }

  private static Callable view(Callable method, String name) {
    return arguments -> {
      arguments.bind(name, 0);
      return method.call(arguments);
    };
  }

  private static Object get(Map<?, ?> map, Arguments.Bound given) {
    Object key = Operators.key(given.get(0));
    return map.containsKey(key) ? map.get(key) : given.get(1, null);
  }

  /** Pairs of key and value. */
  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>(map.size());
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      items.add(Tuple.of(entry.getKey(), entry.getValue()));
    }
    return items;
  }

  private static Object ofList(List<?> list, String name) {
    if (!(list instanceof Tuple || list instanceof Range) && LIST_CHANGES.contains(name)) {
      return unsafe(list, name);
    }
    return switch (name) {
      case "index" -> (Callable) arguments -> index(list, arguments.bind("index", 1, "value"));
      case "count" ->
          (Callable)
              arguments -> {
                Object wanted = arguments.bind("count", 1, "value").get(0);
                return list.stream().filter(item -> Operators.equal(item, wanted)).count();
              };
      case "copy" ->
          list instanceof Tuple || list instanceof Range ? null : (Callable) arguments -> list;
      default -> null;
    };
  }

  private static Object index(List<?> list, Arguments.Bound given) {
    for (int i = 0; i < list.size(); i++) {
      if (Operators.equal(list.get(i), given.get(0))) {
        return (long) i;
      }
    }
    throw new JinjaException("%s is not in list".formatted(PythonText.repr(given.get(0))));
  }

  private static Object ofNumber(Object owner, String name) {
    return switch (name) {
      case "real",
          "imag",
          "numerator",
          "denominator",
          "conjugate",
          "bit_length",
          "bit_count",
          "as_integer_ratio",
          "is_integer",
          "hex",
          "to_bytes",
          "from_bytes",
          "fromhex" ->
          throw JinjaException.unsupported(
              "the attribute '%s' of %s".formatted(name, Values.typeName(owner)));
      default -> null;
    };
  }

  private static Undefined unsafe(Object owner, String name) {
    return new Undefined(
        "access to attribute '%s' of '%s' object is unsafe."
            .formatted(name, Values.typeName(owner)));
  }
}
