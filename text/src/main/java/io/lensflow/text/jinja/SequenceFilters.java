package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/** Jinja's filters over sequences: map, select, sort, join and the like. */
final class SequenceFilters {
  private static final Map<String, Filters.Filter> BY_NAME =
      Map.ofEntries(
          Map.entry("batch", SequenceFilters::batch),
          Map.entry("dictsort", SequenceFilters::dictSort),
          Map.entry("join", SequenceFilters::join),
          Map.entry("map", SequenceFilters::map),
          Map.entry("max", (v, a) -> extreme(v, a, 1)),
          Map.entry("min", (v, a) -> extreme(v, a, -1)),
          Map.entry("reject", (v, a) -> select(v, test(a, 0).negate())),
          Map.entry("rejectattr", (v, a) -> select(v, attributeTest(a).negate())),
          Map.entry("select", (v, a) -> select(v, test(a, 0))),
          Map.entry("selectattr", (v, a) -> select(v, attributeTest(a))),
          Map.entry("sort", SequenceFilters::sort),
          Map.entry("sum", SequenceFilters::sum),
          Map.entry("unique", SequenceFilters::unique));

  private SequenceFilters() {}

  /** The filter of that name, or null. */
  static Filters.Filter named(String name) {
    return BY_NAME.get(name);
  }

  private static Object select(Object value, Predicate<Object> keep) {
    List<Object> kept = new ArrayList<>();
    for (Iterator<Object> items = truthy(value); items.hasNext(); ) {
      Object item = items.next();
      if (keep.test(item)) {
        kept.add(item);
      }
    }
    return new Generator(kept.iterator());
  }

  /** These filters give nothing for any false value, so for None too. */
  private static Iterator<Object> truthy(Object value) {
    return Values.isTrue(value) ? Values.iterate(value) : Collections.emptyIterator();
  }

  private static Predicate<Object> test(Arguments arguments, int first) {
    if (arguments.positional().size() <= first) {
      return Values::isTrue;
    }
    Tests.Test test = Tests.named(PythonText.str(arguments.positional().get(first)));
    Arguments rest = arguments.after(first + 1);
    return item -> test.holds(item, rest);
  }

  private static Predicate<Object> attributeTest(Arguments arguments) {
    if (arguments.positional().isEmpty()) {
      throw new JinjaException("Missing parameter for attribute name");
    }
    Function<Object, Object> attribute = attribute(arguments.positional().get(0), null);
    Predicate<Object> test = test(arguments, 1);
    return item -> test.test(attribute.apply(item));
  }

  private static Object map(Object value, Arguments arguments) {
    Function<Object, Object> function;
    if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
      Arguments.Bound given = arguments.bind("map", 1, "attribute", "default");
      function = attribute(given.get(0), given.get(1, null));
    } else if (arguments.positional().isEmpty()) {
      throw new JinjaException("map requires a filter argument");
    } else {
      Filters.Filter filter = Filters.named(PythonText.str(arguments.positional().get(0)));
      Arguments rest = arguments.after(1);
      function = item -> filter.apply(item, rest);
    }
    List<Object> mapped = new ArrayList<>();
    truthy(value).forEachRemaining(item -> mapped.add(function.apply(item)));
    return new Generator(mapped.iterator());
  }

  /** Follows a path such as {@code function.name} or {@code 0.name}. */
  private static Function<Object, Object> attribute(Object path, Object orElse) {
    List<Object> steps = new ArrayList<>();
    if (path instanceof String text) {
      for (String step : text.split("\\.", -1)) {
        boolean index = !step.isEmpty() && step.chars().allMatch(c -> c >= '0' && c <= '9');
        steps.add(index ? (Object) Long.valueOf(step) : step);
      }
    } else if (path != null) {
      steps.add(path);
    }
    return item -> {
      Object value = item;
      for (Object step : steps) {
        value = Subscripts.item(value, step);
        if (value instanceof Undefined && orElse != null) {
          value = orElse;
        }
      }
      return value;
    };
  }

  /** By the attribute, if one is asked for, and with small letters unless case counts. */
  private static Function<Object, Object> key(Object attribute, boolean caseSensitive) {
    Function<Object, Object> path = attribute(attribute, null);
    return item -> {
      Object value = path.apply(item);
      return !caseSensitive && value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
    };
  }

  private static Object sort(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
    if (given.get(2, null) instanceof String text && text.contains(",")) {
      throw JinjaException.unsupported("the filter 'sort' by several attributes");
    }
    Function<Object, Object> key = key(given.get(2, null), given.flag(1, false));
    List<Object> sorted = Values.list(value);
    Comparator<Object> order = Comparator.comparing(key, Operators::order);
    sorted.sort(given.flag(0, false) ? order.reversed() : order);
    return sorted;
  }

  private static Object dictSort(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
    if (!(value instanceof Map<?, ?> map)) {
      throw new JinjaException("dictsort needs a dict, not " + Values.typeName(value));
    }
    String by = given.text(1, "key");
    if (!by.equals("key") && !by.equals("value")) {
      throw new JinjaException("You can only sort by either \"key\" or \"value\"");
    }
    Function<Object, Object> key = key(by.equals("key") ? 0L : 1L, given.flag(0, false));
    List<Object> items = Methods.items(map);
    Comparator<Object> order = Comparator.comparing(key, Operators::order);
    items.sort(given.flag(2, false) ? order.reversed() : order);
    return items;
  }

  private static Object unique(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("unique", 0, "case_sensitive", "attribute");
    Function<Object, Object> key = key(given.get(1, null), given.flag(0, false));
    Map<Object, Object> firsts = new LinkedHashMap<>();
    Values.iterate(value)
        .forEachRemaining(item -> firsts.putIfAbsent(Operators.key(key.apply(item)), item));
    return new Generator(new ArrayList<>(firsts.values()).iterator());
  }

  private static Object extreme(Object value, Arguments arguments, int sign) {
    Arguments.Bound given =
        arguments.bind(sign > 0 ? "max" : "min", 0, "case_sensitive", "attribute");
    Function<Object, Object> key = key(given.get(1, null), given.flag(0, false));
    Iterator<Object> items = Values.iterate(value);
    if (!items.hasNext()) {
      return new Undefined("No aggregated item, sequence was empty.");
    }
    Object best = items.next();
    while (items.hasNext()) {
      Object item = items.next();
      if (Integer.signum(Operators.order(key.apply(item), key.apply(best))) == sign) {
        best = item;
      }
    }
    return best;
  }

  private static Object sum(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("sum", 0, "attribute", "start");
    Function<Object, Object> path = attribute(given.get(0, null), null);
    Object sum = given.get(1, 0L);
    for (Iterator<Object> items = Values.iterate(value); items.hasNext(); ) {
      sum = Operators.add(sum, path.apply(items.next()));
    }
    return sum;
  }

  private static Object join(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("join", 0, "d", "attribute");
    Function<Object, Object> path = attribute(given.get(1, null), null);
    String separator = PythonText.str(given.get(0, ""));
    StringBuilder out = new StringBuilder();
    for (Iterator<Object> items = Values.iterate(value); items.hasNext(); ) {
      out.append(PythonText.str(path.apply(items.next())));
      out.append(items.hasNext() ? separator : "");
    }
    return out.toString();
  }

  private static Object batch(Object value, Arguments arguments) {
    Arguments.Bound given = arguments.bind("batch", 1, "linecount", "fill_with");
    int size = Math.max(1, given.integer(0));
    List<Object> batches = new ArrayList<>();
    List<Object> batch = new ArrayList<>();
    for (Iterator<Object> items = Values.iterate(value); items.hasNext(); ) {
      batch.add(items.next());
      if (batch.size() == size || !items.hasNext()) {
        while (given.get(1, null) != null && batch.size() < size) {
          batch.add(given.get(1));
        }
        batches.add(batch);
        batch = new ArrayList<>();
      }
    }
    return new Generator(batches.iterator());
  }
}
