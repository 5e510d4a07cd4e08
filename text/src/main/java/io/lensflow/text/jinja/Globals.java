package io.lensflow.text.jinja;

import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The functions that transformers and Jinja give to every template. */
final class Globals {
  /** Jinja's other functions; a template that calls one must not read them as undefined. */
  private static final Set<String> LEFT_OUT = Set.of("lipsum", "cycler", "joiner");

  private Globals() {}

  /** The global of that name, or an {@link Undefined}. */
  static Object named(String name, Clock clock) {
    if (LEFT_OUT.contains(name)) {
      throw JinjaException.unsupported("the function '" + name + "'");
    }
    return switch (name) {
      case "range" -> (Callable) Globals::range;
      case "dict" -> (Callable) Globals::dict;
      case "namespace" -> (Callable) Globals::namespace;
      case "raise_exception" ->
          (Callable)
              arguments -> {
                Object message = arguments.bind(name, 1, "message").get(0);
                throw JinjaException.raisedByTemplate(PythonText.str(message));
              };
      case "strftime_now" ->
          (Callable) arguments -> Strftime.now(arguments.bind(name, 1, "format").text(0), clock);
      default -> Undefined.name(name);
    };
  }

  private static Object range(Arguments arguments) {
    List<Object> given = arguments.positional();
    Arguments.Bound bound = arguments.bind("range", 1, "start", "stop", "step");
    return given.size() == 1
        ? new Range(0, number(given.get(0)), 1)
        : new Range(
            number(bound.get(0)), number(bound.get(1)), bound.has(2) ? number(bound.get(2)) : 1);
  }

  private static long number(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    } else if (value instanceof Long || value instanceof Boolean) {
      return Operators.toInteger(value).longValue();
    }
    throw new JinjaException("range() takes whole numbers, not " + Values.typeName(value));
  }

  private static Object dict(Arguments arguments) {
    Map<Object, Object> dict = new LinkedHashMap<>();
    for (Object from : arguments.positional()) {
      if (!(from instanceof Map<?, ?> map)) {
        throw JinjaException.unsupported("dict() of a " + Values.typeName(from));
      }
      dict.putAll(map);
    }
    dict.putAll(arguments.named());
    return dict;
  }

  private static Object namespace(Arguments arguments) {
    Namespace namespace = new Namespace();
    ((Map<?, ?>) dict(arguments))
        .forEach((key, value) -> namespace.set(PythonText.str(key), value));
    return namespace;
  }
}
