package io.lensflow.text.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** {@code str()} and {@code repr()} of Python. */
final class PythonText {
  private static final RoundingMode[] ROUNDINGS = {
    RoundingMode.HALF_EVEN, RoundingMode.FLOOR, RoundingMode.CEILING
  };

  /** Decimals that always suffice to tell two doubles apart. */
  private static final int MAX_DIGITS = 17;

  private PythonText() {}

  /** {@code str(value)}, which is what {@code {{ value }}} prints. */
  static String str(Object value) {
    if (value instanceof String text) {
      return text;
    } else if (value instanceof Markup markup) {
      return markup.text();
    }
    return value instanceof Undefined ? "" : repr(value);
  }

  /** {@code repr(value)}. */
  static String repr(Object value) {
    StringBuilder out = new StringBuilder();
    repr(out, value);
    return out.toString();
  }

  private static void repr(StringBuilder out, Object value) {
    if (value == null) {
      out.append("None");
    } else if (value instanceof String text) {
      quote(out, text);
    } else if (value instanceof Boolean b) {
      out.append(b ? "True" : "False");
    } else if (value instanceof Double number) {
      out.append(number(number));
    } else if (Values.isInteger(value) || value instanceof Range) {
      out.append(value);
    } else if (value instanceof Tuple tuple) {
      join(out, "(", tuple, PythonText::repr, tuple.size() == 1 ? ",)" : ")");
    } else if (value instanceof List<?> list) {
      join(out, "[", list, PythonText::repr, "]");
    } else if (value instanceof Map<?, ?> map) {
      join(out, "{", map.entrySet(), PythonText::entry, "}");
    } else if (value instanceof DictView view) {
      join(out.append(view.name()), "([", view, PythonText::repr, "])");
    } else if (value instanceof Undefined) {
      out.append("Undefined");
    } else {
      // Python would print a memory address, or an internal of Jinja.
      throw JinjaException.unsupported("printing a " + Values.typeName(value));
    }
  }

  private static void entry(StringBuilder out, Map.Entry<?, ?> entry) {
    repr(out, entry.getKey());
    out.append(": ");
    repr(out, entry.getValue());
  }

  private static <T> void join(
      StringBuilder out,
      String open,
      Collection<? extends T> items,
      BiConsumer<StringBuilder, T> print,
      String close) {
    out.append(open);
    for (Iterator<? extends T> each = items.iterator(); each.hasNext(); ) {
      print.accept(out, each.next());
      if (each.hasNext()) {
        out.append(", ");
      }
    }
    out.append(close);
  }

  /**
   * {@code repr} of a float: the fewest digits that read back as the same number. Java's own
   * conversion has this property only since JDK 19.
   */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    } else if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    } else if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal shortest = shortest(value).stripTrailingZeros();
    String digits = shortest.unscaledValue().abs().toString();
    int exponent = digits.length() - shortest.scale() - 1;
    StringBuilder out = new StringBuilder(value < 0 ? "-" : "");
    if (exponent < -4 || exponent >= 16) {
      out.append(digits.charAt(0));
      if (digits.length() > 1) {
        out.append('.').append(digits, 1, digits.length());
      }
      out.append('e').append(exponent < 0 ? '-' : '+');
      return out.append(Math.abs(exponent) < 10 ? "0" : "").append(Math.abs(exponent)).toString();
    }
    String plain = shortest.abs().toPlainString();
    return out.append(plain).append(plain.indexOf('.') < 0 ? ".0" : "").toString();
  }

  private static BigDecimal shortest(double value) {
    BigDecimal exact = new BigDecimal(value);
    for (int digits = 1; digits < MAX_DIGITS; digits++) {
      for (RoundingMode rounding : ROUNDINGS) {
        BigDecimal candidate = exact.round(new MathContext(digits, rounding));
        if (candidate.doubleValue() == value) {
          return candidate;
        }
      }
    }
    return exact.round(new MathContext(MAX_DIGITS, RoundingMode.HALF_EVEN));
  }

  private static void quote(StringBuilder out, String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                  if (c == quote) {
                    out.append('\\').append(quote);
                  } else if (isPrintable(c)) {
                    out.appendCodePoint(c);
                  } else {
                    out.append(
                        c <= 0xff
                            ? "\\x%02x".formatted(c)
                            : (c <= 0xffff ? "\\u%04x" : "\\U%08x").formatted(c));
                  }
                }
              }
            });
    out.append(quote);
  }

  /** {@code str.isprintable} of one character; Unicode's categories as this JDK knows them. */
  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** Whether {@code str.isspace} holds for the character; Java's own notions differ. */
  static boolean isSpace(int c) {
    return (c >= '\t' && c <= '\r')
        || (c >= 0x1c && c <= ' ')
        || c == 0x85
        || c == 0xa0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202f
        || c == 0x205f
        || c == 0x3000;
  }

  /** {@code text.rstrip()}. */
  static String stripEnd(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  /** {@code text.strip()}. */
  static String strip(String text) {
    int start = 0;
    String rest = stripEnd(text);
    while (start < rest.length() && isSpace(rest.charAt(start))) {
      start++;
    }
    return rest.substring(start);
  }
}
