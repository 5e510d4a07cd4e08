package io.lensflow.text.jinja;

import java.util.List;
import java.util.Map;

/** Jinja's built-in tests: what may follow {@code is}. */
final class Tests {
  /** One test: the value before {@code is}, and the arguments. */
  @FunctionalInterface
  interface Test {
    boolean holds(Object value, Arguments arguments);
  }

  private static final Map<String, Test> BY_NAME =
      Map.ofEntries(
          Map.entry("defined", (v, a) -> !(v instanceof Undefined)),
          Map.entry("undefined", (v, a) -> v instanceof Undefined),
          Map.entry("none", (v, a) -> v == null),
          Map.entry("boolean", (v, a) -> v instanceof Boolean),
          Map.entry("true", (v, a) -> Boolean.TRUE.equals(v)),
          Map.entry("false", (v, a) -> Boolean.FALSE.equals(v)),
          Map.entry("integer", (v, a) -> Values.isInteger(v)),
          Map.entry("float", (v, a) -> v instanceof Double),
          Map.entry("number", (v, a) -> Values.isNumber(v)),
          Map.entry("string", (v, a) -> v instanceof String || v instanceof Markup),
          Map.entry("mapping", (v, a) -> v instanceof Map<?, ?>),
          Map.entry("iterable", (v, a) -> Values.isIterable(v) || v instanceof LoopState),
          Map.entry("sequence", (v, a) -> isSequence(v)),
          Map.entry("callable", (v, a) -> v instanceof Callable || v instanceof Undefined),
          Map.entry("odd", (v, a) -> Operators.equal(Operators.modulo(v, 2L), 1L)),
          Map.entry("even", (v, a) -> Operators.equal(Operators.modulo(v, 2L), 0L)),
          Map.entry("divisibleby", (v, a) -> Operators.equal(Operators.modulo(v, other(a)), 0L)),
          Map.entry("lower", (v, a) -> isCased(v, true)),
          Map.entry("upper", (v, a) -> isCased(v, false)),
          Map.entry("sameas", (v, a) -> same(v, other(a))),
          Map.entry("in", (v, a) -> Operators.contains(other(a), v)),
          Map.entry("filter", (v, a) -> v instanceof String name && Filters.exists(name)),
          Map.entry("test", (v, a) -> v instanceof String name && exists(name)),
          Map.entry("eq", (v, a) -> Operators.equal(v, other(a))),
          Map.entry("ne", (v, a) -> !Operators.equal(v, other(a))),
          Map.entry("lt", (v, a) -> Operators.order(v, other(a)) < 0),
          Map.entry("le", (v, a) -> Operators.order(v, other(a)) <= 0),
          Map.entry("gt", (v, a) -> Operators.order(v, other(a)) == 1),
          Map.entry("ge", (v, a) -> isAtLeast(v, other(a))));

  /** Other names of the same tests. */
  private static final Map<String, String> ALIASES =
      Map.ofEntries(
          Map.entry("==", "eq"),
          Map.entry("equalto", "eq"),
          Map.entry("!=", "ne"),
          Map.entry("<", "lt"),
          Map.entry("lessthan", "lt"),
          Map.entry("<=", "le"),
          Map.entry(">", "gt"),
          Map.entry("greaterthan", "gt"),
          Map.entry(">=", "ge"));

  private Tests() {}

  /**
   * The test of that name.
   *
   * @throws JinjaException if there is none
   */
  static Test named(String name) {
    Test test = BY_NAME.get(ALIASES.getOrDefault(name, name));
    if (test == null) {
      throw JinjaException.unsupported("the test '" + name + "'");
    }
    return test;
  }

  private static boolean exists(String name) {
    return BY_NAME.containsKey(ALIASES.getOrDefault(name, name));
  }

  private static Object other(Arguments arguments) {
    return arguments.bind("the test", 1, "other").get(0);
  }

  static boolean isAtLeast(Object a, Object b) {
    int order = Operators.order(a, b);
    return order == 0 || order == 1;
  }

  /** Whether it has a length and items by index or key, as Jinja asks. */
  private static boolean isSequence(Object value) {
    return value instanceof String
        || value instanceof List<?>
        || value instanceof Map<?, ?>
        || value instanceof Undefined;
  }

  private static boolean isCased(Object value, boolean lower) {
    String text = PythonText.str(value);
    String method = lower ? "islower" : "isupper";
    return (Boolean) ((Callable) StringMethods.of(text, method)).call(Arguments.NONE);
  }

  private static boolean same(Object a, Object b) {
    if (a == null || b == null || a instanceof Boolean || b instanceof Boolean) {
      return a == b || (a instanceof Boolean && a.equals(b));
    } else if (a == b) {
      return true;
    }
    // Python compares addresses; whether equal texts or numbers share one is its own affair.
    throw JinjaException.unsupported("the test 'sameas' of anything but true, false and none");
  }
}
