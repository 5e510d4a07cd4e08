package io.lensflow.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Jinja's built-in filters of one value, and {@code tojson} as transformers sets it. */
final class Filters {
  /** One filter: the value before the bar, and the arguments in brackets. */
  @FunctionalInterface
  interface Filter {
    Object apply(Object value, Arguments arguments);
  }

  /** Filters that take text marked safe. */
  private static final Set<String> MARKUP = Set.of("d", "default", "safe", "tojson");

  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}_]+");
  private static final Pattern DECIMAL = Pattern.compile("[-+]?\\d+(_\\d+)*");
  private static final Pattern FLOAT =
      Pattern.compile("[-+]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][-+]?\\d+)?");
  private static final String TITLE_BREAKS = "-([{<";

  private static final Map<String, Filter> BY_NAME =
      Map.ofEntries(
          Map.entry("abs", (v, a) -> abs(v, a.bind("abs", 0))),
          Map.entry("capitalize", (v, a) -> StringMethods.capitalize(PythonText.str(v))),
          Map.entry(
              "center",
              (v, a) -> Pad.center(PythonText.str(v), width(a.bind("center", 0, "width")))),
          Map.entry("count", (v, a) -> (long) Values.length(v)),
          Map.entry("d", Filters::orDefault),
          Map.entry("default", Filters::orDefault),
          Map.entry("first", (v, a) -> first(Values.iterate(v), "first")),
          Map.entry("float", (v, a) -> toFloat(v, a.bind("float", 0, "default"))),
          Map.entry("indent", (v, a) -> indent(v, a)),
          Map.entry("int", (v, a) -> toInt(v, a.bind("int", 0, "default", "base"))),
          Map.entry("items", Filters::items),
          Map.entry("last", (v, a) -> last(v)),
          Map.entry("length", (v, a) -> (long) Values.length(v)),
          Map.entry("list", (v, a) -> Values.list(v)),
          Map.entry("lower", (v, a) -> PythonText.str(v).toLowerCase(Locale.ROOT)),
          Map.entry("replace", Filters::replace),
          Map.entry("reverse", (v, a) -> reverse(v)),
          Map.entry("round", (v, a) -> round(v, a.bind("round", 0, "precision", "method"))),
          Map.entry("safe", (v, a) -> new Markup(PythonText.str(v))),
          Map.entry("string", (v, a) -> PythonText.str(v)),
          Map.entry("title", (v, a) -> title(PythonText.str(v))),
          Map.entry("tojson", JsonText::filter),
          Map.entry("trim", Filters::trim),
          Map.entry("upper", (v, a) -> PythonText.str(v).toUpperCase(Locale.ROOT)),
          Map.entry("wordcount", (v, a) -> WORD.matcher(PythonText.str(v)).results().count()));

  private Filters() {}

  /**
   * The filter of that name.
   *
   * @throws JinjaException if there is none
   */
  static Filter named(String name) {
    Filter filter = BY_NAME.get(name);
    if (filter == null) {
      filter = SequenceFilters.named(name);
    }
    if (filter == null) {
      throw JinjaException.unsupported("the filter '" + name + "'");
    }
    return MARKUP.contains(name) ? filter : withoutMarkup(name, filter);
  }

  private static Filter withoutMarkup(String name, Filter filter) {
    return (value, arguments) -> {
      if (value instanceof Markup) {
        throw JinjaException.unsupported("the filter '" + name + "' after 'safe'");
      }
      return filter.apply(value, arguments);
    };
  }

  static boolean exists(String name) {
    return BY_NAME.containsKey(name) || SequenceFilters.named(name) != null;
  }

  private static Object abs(Object value, Arguments.Bound none) {
    if (value instanceof Double number) {
      return Math.abs(number);
    }
    return Operators.order(value, 0L) < 0 ? Operators.negate(value) : Operators.plus(value);
  }

  private static Arguments.Bound width(Arguments.Bound given) {
    return Arguments.of((long) given.integer(0, 80)).bind("center", 1, "width", "fillchar");
  }

  private static Object orDefault(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("default", 0, "default_value", "boolean");
    boolean use = value instanceof Undefined || (given.flag(1, false) && !Values.isTrue(value));
    return use ? given.get(0, "") : value;
  }

  /** The first item, or undefined where there is none. */
  static Object first(Iterator<Object> items, String filter) {
    return items.hasNext()
        ? items.next()
        : new Undefined("No %s item, sequence was empty.".formatted(filter));
  }

  private static Object last(Object value) {
    if (value instanceof Generator || value instanceof Boolean || Values.isNumber(value)) {
      throw new JinjaException("'%s' object is not reversible".formatted(Values.typeName(value)));
    }
    List<Object> items = Values.list(value);
    Collections.reverse(items);
    return first(items.iterator(), "last");
  }

  private static Object toFloat(Object value, Arguments.Bound given) {
    Object orElse = given.get(0, 0.0);
    if (Values.isNumber(value)) {
      return Operators.toDouble(value);
    }
    if (value instanceof String text) {
      String stripped = PythonText.strip(text);
      String word = stripped.toLowerCase(Locale.ROOT);
      if (FLOAT.matcher(stripped).matches()) {
        return Double.valueOf(stripped);
      } else if (word.matches("[-+]?(nan|inf|infinity)") || stripped.indexOf('_') > 0) {
        throw JinjaException.unsupported("the filter 'float' of '" + stripped + "'");
      }
    } else if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    return orElse;
  }

  private static Object toInt(Object value, Arguments.Bound given) {
    Object orElse = given.get(0, 0L);
    if (given.integer(1, 10) != 10) {
      throw JinjaException.unsupported("the filter 'int' with a base");
    }
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    } else if (value instanceof Double number) {
      return Double.isFinite(number)
          ? Values.integer(new BigDecimal(number).toBigInteger())
          : orElse;
    } else if (Values.isNumber(value)) {
      return Operators.plus(value);
    } else if (value instanceof String text) {
      String stripped = PythonText.strip(text);
      if (DECIMAL.matcher(stripped).matches()) {
        return Values.integer(new BigInteger(stripped.replace("_", "")));
      } else if (FLOAT.matcher(stripped).matches()) {
        return toInt(Double.valueOf(stripped), given);
      }
    }
    return orElse;
  }

  private static Object items(Object value, Arguments arguments) {
    if (value instanceof Undefined) {
      return new Generator(Collections.emptyIterator());
    } else if (value instanceof Map<?, ?> map) {
      return new Generator(Methods.items(map).iterator());
    }
    throw new JinjaException("Can only get item pairs from a mapping.");
  }

  private static Object replace(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("replace", 2, "old", "new", "count");
    return StringMethods.replace(
        PythonText.str(value),
        PythonText.str(given.get(0)),
        PythonText.str(given.get(1)),
        given.integer(2, -1));
  }

  private static Object reverse(Object value) {
    if (value instanceof String text) {
      return Subscripts.slice(text, null, null, -1L);
    }
    List<Object> items = Values.list(value);
    Collections.reverse(items);
    return new Generator(items.iterator());
  }

  private static Object round(Object value, Arguments.Bound given) {
    String method = given.text(1, "common");
    int precision = given.integer(0, 0);
    if (!Values.isNumber(value)) {
      throw new JinjaException(
          "type %s doesn't define a rounding".formatted(Values.typeName(value)));
    }
    double number = Operators.toDouble(value);
    switch (method) {
      case "common":
        if (!(value instanceof Double)) {
          return precision >= 0 ? Operators.plus(value) : refuseNegative();
        }
        return Double.isFinite(number)
            ? new BigDecimal(number).setScale(precision, RoundingMode.HALF_EVEN).doubleValue()
            : number;
      case "ceil", "floor":
        double scale = Math.pow(10, precision);
        double scaled = number * scale;
        return ("ceil".equals(method) ? Math.ceil(scaled) : Math.floor(scaled)) / scale;
      default:
        throw new JinjaException("method must be common, ceil or floor");
    }
  }

  private static Object refuseNegative() {
    throw JinjaException.unsupported("the filter 'round' with a negative precision");
  }

  /**
   * Jinja's own title: after a blank, a dash or an opening bracket, but not after an apostrophe.
   */
  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean starts = true;
    for (int i = 0; i < text.length(); ) {
      int end = text.offsetByCodePoints(i, 1);
      String c = text.substring(i, end);
      out.append(starts ? c.toUpperCase(Locale.ROOT) : c.toLowerCase(Locale.ROOT));
      starts = PythonText.isSpace(c.codePointAt(0)) || TITLE_BREAKS.contains(c);
      i = end;
    }
    return out.toString();
  }

  private static Object trim(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("trim", 0, "chars");
    String chars = given.get(0, null) == null ? null : given.text(0);
    return StringMethods.strip(PythonText.str(value), chars, true, true);
  }

  private static Object indent(Object value, Arguments arguments) {
    if (!(value instanceof String text)) {
      throw new JinjaException("indent needs a str, not " + Values.typeName(value));
    }
    Arguments.Bound given = arguments.bind("indent", 0, "width", "first", "blank");
    String by =
        given.has(0) && given.get(0) instanceof String prefix
            ? prefix
            : " ".repeat(Math.max(0, Math.min(given.integer(0, 4), 1000)));
    boolean blank = given.flag(2, false);
    // Jinja adds a line end first, so that a last line end stays.
    List<Object> lines = StringMethods.lines(text + "\n", false);
    StringBuilder out = new StringBuilder(given.flag(1, false) ? by : "");
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      boolean indented = i > 0 && (blank || !line.isEmpty());
      out.append(i > 0 ? "\n" : "").append(indented ? by : "").append(line);
    }
    return out.toString();
  }
}
