package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Arguments of a call.
 *
 * @param positional in order
 * @param named by name, in order
 */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  /** Stands for an argument that was not given; null is None. */
  private static final Object ABSENT = new Object();

  static Arguments of(Object... positional) {
    return new Arguments(Arrays.asList(positional), Map.of());
  }

  /** The same without the first positional ones. */
  Arguments after(int skipped) {
    List<Object> rest = positional.subList(Math.min(skipped, positional.size()), positional.size());
    return new Arguments(new ArrayList<>(rest), named);
  }

  /**
   * Assigns the arguments to parameters, as Python does.
   *
   * @param callee for messages
   * @param required how many of the parameters must be given
   */
  Bound bind(String callee, int required, String... parameters) {
    if (positional.size() > parameters.length) {
      throw new JinjaException(
          "%s takes at most %d arguments, %d were given"
              .formatted(callee, parameters.length, positional.size()));
    }
    Object[] values = new Object[parameters.length];
    Arrays.fill(values, ABSENT);
    for (int i = 0; i < positional.size(); i++) {
      values[i] = positional.get(i);
    }
    List<String> names = Arrays.asList(parameters);
    for (Map.Entry<String, Object> argument : named.entrySet()) {
      int i = names.indexOf(argument.getKey());
      if (i < 0) {
        throw new JinjaException("%s has no argument '%s'".formatted(callee, argument.getKey()));
      }
      if (values[i] != ABSENT) {
        throw new JinjaException(
            "%s was given argument '%s' twice".formatted(callee, argument.getKey()));
      }
      values[i] = argument.getValue();
    }
    for (int i = 0; i < required; i++) {
      if (values[i] == ABSENT) {
        throw new JinjaException("%s needs argument '%s'".formatted(callee, parameters[i]));
      }
    }
    return new Bound(callee, names, values);
  }

  /** Arguments by parameter. */
  record Bound(String callee, List<String> names, Object[] values) {
    boolean has(int i) {
      return values[i] != ABSENT;
    }

    Object get(int i) {
      return values[i];
    }

    Object get(int i, Object orElse) {
      return has(i) ? values[i] : orElse;
    }

    boolean flag(int i, boolean orElse) {
      return has(i) ? Values.isTrue(values[i]) : orElse;
    }

    String text(int i) {
      if (values[i] instanceof String text) {
        return text;
      }
      throw wrong(i, "str");
    }

    String text(int i, String orElse) {
      return has(i) ? text(i) : orElse;
    }

    /** A whole number that fits an index; None counts as not given. */
    int integer(int i, int orElse) {
      return !has(i) || values[i] == null ? orElse : integer(i);
    }

    int integer(int i) {
      Object value = values[i] instanceof Boolean b ? (b ? 1L : 0L) : values[i];
      if (value instanceof Long number) {
        return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, number));
      }
      throw wrong(i, "int");
    }

    private JinjaException wrong(int i, String wanted) {
      if (values[i] instanceof Undefined undefined) {
        return undefined.error();
      }
      return new JinjaException(
          "%s: argument '%s' must be %s, not %s"
              .formatted(callee, names.get(i), wanted, Values.typeName(values[i])));
    }
  }
}
