package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.IntPredicate;

/** Methods of Python's {@code str}. */
final class StringMethods {
  private static final Set<String> LEFT_OUT =
      Set.of(
          "casefold",
          "encode",
          "expandtabs",
          "format",
          "format_map",
          "isdecimal",
          "isidentifier",
          "isnumeric",
          "isprintable",
          "istitle",
          "maketrans",
          "swapcase",
          "translate",
          "isascii");

  private StringMethods() {}

  /**
   * The method bound to the text, or null where str has none of that name.
   *
   * @throws JinjaException for a method of str that is left out here
   */
  static Object of(String text, String name) {
    if (LEFT_OUT.contains(name)) {
      throw JinjaException.unsupported("the str method '" + name + "'");
    }
    Callable method = method(text, name);
    return method;
  }

  private static Callable method(String s, String name) {
    return switch (name) {
      case "strip" -> a -> strip(s, a.bind(name, 0, "chars"), true, true);
      case "lstrip" -> a -> strip(s, a.bind(name, 0, "chars"), true, false);
      case "rstrip" -> a -> strip(s, a.bind(name, 0, "chars"), false, true);
      case "startswith" -> a -> affix(s, a.bind(name, 1, "prefix", "start", "end"), true);
      case "endswith" -> a -> affix(s, a.bind(name, 1, "suffix", "start", "end"), false);
      case "split" -> a -> split(s, a.bind(name, 0, "sep", "maxsplit"));
      case "rsplit" -> a -> splitFromEnd(s, a.bind(name, 0, "sep", "maxsplit"));
      case "splitlines" -> a -> lines(s, a.bind(name, 0, "keepends").flag(0, false));
      case "partition" -> a -> partition(s, a.bind(name, 1, "sep").text(0), false);
      case "rpartition" -> a -> partition(s, a.bind(name, 1, "sep").text(0), true);
      case "replace" -> a -> replace(s, a.bind(name, 2, "old", "new", "count"));
      case "removeprefix" ->
          a -> {
            String prefix = a.bind(name, 1, "prefix").text(0);
            return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
          };
      case "removesuffix" ->
          a -> {
            String suffix = a.bind(name, 1, "suffix").text(0);
            return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
          };
      case "join" -> a -> join(s, a.bind(name, 1, "iterable").get(0));
      case "upper" -> plain(name, () -> s.toUpperCase(Locale.ROOT));
      case "lower" -> plain(name, () -> s.toLowerCase(Locale.ROOT));
      case "capitalize" -> plain(name, () -> capitalize(s));
      case "title" -> plain(name, () -> title(s));
      case "find" -> a -> find(s, a.bind(name, 1, "sub", "start", "end"), false);
      case "rfind" -> a -> find(s, a.bind(name, 1, "sub", "start", "end"), true);
      case "index" -> a -> found(find(s, a.bind(name, 1, "sub", "start", "end"), false));
      case "rindex" -> a -> found(find(s, a.bind(name, 1, "sub", "start", "end"), true));
      case "count" -> a -> count(s, a.bind(name, 1, "sub", "start", "end"));
      case "isspace" -> plain(name, () -> all(s, PythonText::isSpace));
      case "isalpha" -> plain(name, () -> all(s, Character::isLetter));
      case "isdigit" -> plain(name, () -> all(s, StringMethods::isDigit));
      case "isalnum" -> plain(name, () -> all(s, c -> Character.isLetter(c) || isDigit(c)));
      case "isupper" -> plain(name, () -> cased(s, s.toUpperCase(Locale.ROOT)));
      case "islower" -> plain(name, () -> cased(s, s.toLowerCase(Locale.ROOT)));
      case "center" -> a -> Pad.center(s, a.bind(name, 1, "width", "fillchar"));
      case "ljust" -> a -> Pad.left(s, a.bind(name, 1, "width", "fillchar"));
      case "rjust" -> a -> Pad.right(s, a.bind(name, 1, "width", "fillchar"));
      case "zfill" -> a -> Pad.zeros(s, a.bind(name, 1, "width").integer(0));
      default -> null;
    };
  }

  private static Callable plain(String name, java.util.function.Supplier<Object> result) {
    return arguments -> {
      arguments.bind(name, 0);
      return result.get();
    };
  }

  private static String strip(String s, Arguments.Bound given, boolean start, boolean end) {
    return strip(s, given.get(0, null) == null ? null : given.text(0), start, end);
  }

  /** Takes characters off the ends: those of {@code chars}, or white space where it is null. */
  static String strip(String s, String chars, boolean start, boolean end) {
    IntPredicate drop = chars == null ? PythonText::isSpace : c -> chars.indexOf(c) >= 0;
    int from = 0;
    int to = s.length();
    while (start && from < to && drop.test(s.codePointAt(from))) {
      from += Character.charCount(s.codePointAt(from));
    }
    while (end && to > from && drop.test(s.codePointBefore(to))) {
      to -= Character.charCount(s.codePointBefore(to));
    }
    return s.substring(from, to);
  }

  private static Object affix(String s, Arguments.Bound given, boolean prefix) {
    if (!inRange(s, given)) {
      return false;
    }
    String part = part(s, given);
    Object wanted = given.get(0);
    for (Object one : wanted instanceof Tuple several ? several : List.of(given.text(0))) {
      if (!(one instanceof String text)) {
        throw new JinjaException("%s takes a str or a tuple of str".formatted(given.callee()));
      }
      if (prefix ? part.startsWith(text) : part.endsWith(text)) {
        return true;
      }
    }
    return false;
  }

  /** The part of the text that arguments 1 and 2, start and end, cut out. */
  private static String part(String s, Arguments.Bound given) {
    Object start = given.get(1, null);
    Object end = given.get(2, null);
    return start == null && end == null ? s : (String) Subscripts.slice(s, start, end, null);
  }

  /** Whether argument 1 starts within the text; beyond it not even the empty text is found. */
  private static boolean inRange(String s, Arguments.Bound given) {
    return given.integer(1, 0) <= Values.length(s);
  }

  private static Object split(String s, Arguments.Bound given) {
    int max = given.integer(1, -1);
    List<Object> parts = new ArrayList<>();
    if (given.get(0, null) == null) {
      int i = skip(s, 0, true);
      while (i < s.length() && (max < 0 || parts.size() < max)) {
        int end = skip(s, i, false);
        parts.add(s.substring(i, end));
        i = skip(s, end, true);
      }
      if (i < s.length()) {
        parts.add(s.substring(i));
      }
      return parts;
    }
    String separator = separator(given);
    int from = 0;
    for (int i; (max < 0 || parts.size() < max) && (i = s.indexOf(separator, from)) >= 0; ) {
      parts.add(s.substring(from, i));
      from = i + separator.length();
    }
    parts.add(s.substring(from));
    return parts;
  }

  private static int skip(String s, int from, boolean space) {
    int i = from;
    while (i < s.length() && PythonText.isSpace(s.charAt(i)) == space) {
      i++;
    }
    return i;
  }

  private static Object splitFromEnd(String s, Arguments.Bound given) {
    int max = given.integer(1, -1);
    if (max < 0) {
      return split(s, given);
    } else if (given.get(0, null) == null) {
      throw JinjaException.unsupported("rsplit at white space with a limit");
    }
    String separator = separator(given);
    List<Object> parts = new ArrayList<>();
    int to = s.length();
    for (int i; parts.size() < max && (i = lastIndex(s, separator, to)) >= 0; to = i) {
      parts.add(0, s.substring(i + separator.length(), to));
    }
    parts.add(0, s.substring(0, to));
    return parts;
  }

  private static int lastIndex(String s, String part, int end) {
    return end < part.length() ? -1 : s.lastIndexOf(part, end - part.length());
  }

  private static String separator(Arguments.Bound given) {
    if (given.text(0).isEmpty()) {
      throw new JinjaException("empty separator");
    }
    return given.text(0);
  }

  /** {@code splitlines}. */
  static List<Object> lines(String s, boolean keepEnds) {
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      boolean ends = (c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85;
      if (ends || c == 0x2028 || c == 0x2029) {
        int next = c == '\r' && s.startsWith("\n", i + 1) ? i + 2 : i + 1;
        lines.add(s.substring(from, keepEnds ? next : i));
        from = next;
        i = next - 1;
      }
    }
    if (from < s.length()) {
      lines.add(s.substring(from));
    }
    return lines;
  }

  private static Object partition(String s, String separator, boolean last) {
    if (separator.isEmpty()) {
      throw new JinjaException("empty separator");
    }
    int i = last ? s.lastIndexOf(separator) : s.indexOf(separator);
    if (i < 0) {
      return last ? Tuple.of("", "", s) : Tuple.of(s, "", "");
    }
    return Tuple.of(s.substring(0, i), separator, s.substring(i + separator.length()));
  }

  private static Object replace(String s, Arguments.Bound given) {
    return replace(s, given.text(0), given.text(1), given.integer(2, -1));
  }

  /** Replaces the first {@code max} occurrences; all where it is negative. */
  static String replace(String s, String old, String by, int max) {
    if (max < 0 && !old.isEmpty()) {
      return s.replace(old, by);
    }
    StringBuilder out = new StringBuilder();
    int from = 0;
    int done = 0;
    if (old.isEmpty()) {
      // Between all characters and at both ends.
      for (; from < s.length() && (max < 0 || done < max); done++) {
        int end = s.offsetByCodePoints(from, 1);
        out.append(by).append(s, from, end);
        from = end;
      }
      return out.append(s.substring(from)).append(max < 0 || done < max ? by : "").toString();
    }
    for (int i; done < max && (i = s.indexOf(old, from)) >= 0; done++) {
      out.append(s, from, i).append(by);
      from = i + old.length();
    }
    return out.append(s.substring(from)).toString();
  }

  private static String join(String separator, Object items) {
    StringBuilder out = new StringBuilder();
    int i = 0;
    for (Iterator<Object> each = Values.iterate(items); each.hasNext(); i++) {
      if (!(each.next() instanceof String text)) {
        throw new JinjaException("sequence item %d: expected str instance".formatted(i));
      }
      out.append(i == 0 ? "" : separator).append(text);
    }
    return out.toString();
  }

  static String capitalize(String s) {
    if (s.isEmpty()) {
      return s;
    }
    int end = s.offsetByCodePoints(0, 1);
    return titleCase(s.substring(0, end)) + s.substring(end).toLowerCase(Locale.ROOT);
  }

  private static String titleCase(String character) {
    int c = character.codePointAt(0);
    String upper = character.toUpperCase(Locale.ROOT);
    int title = Character.toTitleCase(c);
    // Such as ß, whose title case is two letters and not in the JDK's tables.
    if (upper.codePointCount(0, upper.length()) > 1) {
      return capitalize(upper);
    }
    return Character.toString(title);
  }

  /** {@code str.title}: a letter after anything but a letter is large, all others are small. */
  private static String title(String s) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int i = 0; i < s.length(); ) {
      int end = s.offsetByCodePoints(i, 1);
      String c = s.substring(i, end);
      out.append(inWord ? c.toLowerCase(Locale.ROOT) : titleCase(c));
      inWord = isCased(s.codePointAt(i));
      i = end;
    }
    return out.toString();
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  private static boolean cased(String s, String converted) {
    return s.equals(converted) && s.codePoints().anyMatch(StringMethods::isCased);
  }

  private static boolean all(String s, IntPredicate holds) {
    return !s.isEmpty() && s.codePoints().allMatch(holds);
  }

  private static boolean isDigit(int c) {
    if (Character.getType(c) == Character.OTHER_NUMBER) {
      // Some of them are digits to Python, by a table that the JDK lacks.
      throw JinjaException.unsupported("isdigit of '" + Character.toString(c) + "'");
    }
    return Character.isDigit(c);
  }

  private static Object find(String s, Arguments.Bound given, boolean last) {
    String part = part(s, given);
    int i = last ? part.lastIndexOf(given.text(0)) : part.indexOf(given.text(0));
    if (i < 0 || !inRange(s, given)) {
      return -1L;
    }
    int start = given.integer(1, 0);
    int length = Values.length(s);
    int offset = start < 0 ? Math.max(0, start + length) : start;
    return (long) offset + part.codePointCount(0, i);
  }

  private static Object found(Object index) {
    if (index.equals(-1L)) {
      throw new JinjaException("substring not found");
    }
    return index;
  }

  private static Object count(String s, Arguments.Bound given) {
    String part = part(s, given);
    String wanted = given.text(0);
    if (!inRange(s, given)) {
      return 0L;
    } else if (wanted.isEmpty()) {
      return Values.length(part) + 1L;
    }
    long count = 0;
    for (int i = part.indexOf(wanted); i >= 0; i = part.indexOf(wanted, i + wanted.length())) {
      count++;
    }
    return count;
  }
}
