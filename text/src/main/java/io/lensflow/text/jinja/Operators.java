package io.lensflow.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Python's operators on template values. */
final class Operators {
  /** Longest text or number that an operator may build; more is a template out of control. */
  static final int MAX_SIZE = 1 << 26;

  private static final int MAX_INTEGER_BITS = 1 << 12;

  private Operators() {}

  static boolean equal(Object a, Object b) {
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return compareNumbers(a, b) == 0;
    } else if (a instanceof Markup || b instanceof Markup) {
      return isText(a) && isText(b) && a.toString().equals(b.toString());
    } else if (a instanceof Undefined) {
      return b instanceof Undefined;
    } else if (a instanceof List<?> x && b instanceof List<?> y) {
      return Values.typeName(a).equals(Values.typeName(b)) && equalItems(x, y);
    } else if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      return x.size() == y.size()
          && x.entrySet().stream()
              .allMatch(e -> y.containsKey(e.getKey()) && equal(e.getValue(), y.get(e.getKey())));
    }
    return a == null ? b == null : a.equals(b);
  }

  private static boolean isText(Object value) {
    return value instanceof String || value instanceof Markup;
  }

  private static boolean equalItems(List<?> a, List<?> b) {
    if (a.size() != b.size()) {
      return false;
    }
    Iterator<?> other = b.iterator();
    for (Object item : a) {
      if (!equal(item, other.next())) {
        return false;
      }
    }
    return true;
  }

  /**
   * Order of two values.
   *
   * @return -1, 0 or 1; 2 where one is not a number and all comparisons fail
   * @throws JinjaException if Python cannot order them
   */
  static int order(Object a, Object b) {
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return compareNumbers(a, b);
    } else if (a instanceof String x && b instanceof String y) {
      return compareText(x, y);
    } else if (a instanceof List<?> x
        && b instanceof List<?> y
        && Values.typeName(a).equals(Values.typeName(b))) {
      for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
        if (!equal(x.get(i), y.get(i))) {
          return order(x.get(i), y.get(i));
        }
      }
      return Integer.compare(x.size(), y.size());
    }
    throw operands("comparison", a, b);
  }

  private static int compareNumbers(Object a, Object b) {
    if (a instanceof Double || b instanceof Double) {
      double x = toDouble(a);
      double y = toDouble(b);
      if (Double.isNaN(x) || Double.isNaN(y)) {
        return 2;
      }
      // -0.0 equals 0.0, which Double.compare denies.
      return x < y ? -1 : x > y ? 1 : 0;
    }
    return toInteger(a).compareTo(toInteger(b));
  }

  /** By code points, as Python orders; {@code compareTo} would go by UTF-16 units. */
  private static int compareText(String a, String b) {
    int shorter = Math.min(a.length(), b.length());
    for (int i = 0; i < shorter; i++) {
      if (a.charAt(i) != b.charAt(i)) {
        boolean sameKind = Character.isSurrogate(a.charAt(i)) == Character.isSurrogate(b.charAt(i));
        return sameKind
            ? Integer.signum(a.charAt(i) - b.charAt(i))
            : Character.isSurrogate(a.charAt(i)) ? 1 : -1;
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** {@code item in container}. */
  static boolean contains(Object container, Object item) {
    if (container instanceof String text) {
      if (item instanceof String part) {
        return text.contains(part);
      }
      throw new JinjaException(
          "'in <string>' requires string as left operand, not " + Values.typeName(item));
    } else if (container instanceof Map<?, ?> map) {
      return map.containsKey(key(item));
    }
    for (Iterator<Object> items = Values.iterate(container); items.hasNext(); ) {
      if (equal(items.next(), item)) {
        return true;
      }
    }
    return false;
  }

  /** A dict's key in the form that equal keys share. */
  static Object key(Object key) {
    if (key instanceof Boolean || key instanceof Double) {
      // 1, 1.0 and True are one key in Python, which prints the first that was used.
      throw JinjaException.unsupported("a " + Values.typeName(key) + " as a key of a dict");
    } else if (key instanceof Undefined || key == null || Values.isInteger(key)) {
      return key;
    } else if (key instanceof String || key instanceof Tuple) {
      return key;
    }
    throw new JinjaException("unhashable type: '%s'".formatted(Values.typeName(key)));
  }

  static Object add(Object a, Object b) {
    if (a instanceof String x && b instanceof String y) {
      return checked((long) x.length() + y.length(), () -> x.concat(y));
    } else if (Values.isNumber(a) && Values.isNumber(b)) {
      return a instanceof Double || b instanceof Double
          ? (Object) (toDouble(a) + toDouble(b))
          : Values.integer(toInteger(a).add(toInteger(b)));
    } else if (a instanceof List<?> x
        && b instanceof List<?> y
        && Values.typeName(a).equals(Values.typeName(b))
        && !(a instanceof Range)) {
      List<Object> sum = new ArrayList<>(x);
      sum.addAll(y);
      return checked(sum.size(), () -> a instanceof Tuple ? Tuple.copyOf(sum) : sum);
    }
    throw operands("+", a, b);
  }

  static Object subtract(Object a, Object b) {
    requireNumbers("-", a, b);
    return a instanceof Double || b instanceof Double
        ? (Object) (toDouble(a) - toDouble(b))
        : Values.integer(toInteger(a).subtract(toInteger(b)));
  }

  static Object multiply(Object a, Object b) {
    if (Values.isNumber(a) && Values.isNumber(b)) {
      if (a instanceof Double || b instanceof Double) {
        return toDouble(a) * toDouble(b);
      }
      return integer(toInteger(a).multiply(toInteger(b)));
    }
    Object sequence = Values.isNumber(a) ? b : a;
    Object times = Values.isNumber(a) ? a : b;
    if (times instanceof Double || !Values.isNumber(times)) {
      throw operands("*", a, b);
    }
    if (times instanceof BigInteger) {
      throw new JinjaException("cannot repeat that often");
    }
    long count = Math.max(0, toInteger(times).min(BigInteger.valueOf(MAX_SIZE + 1L)).longValue());
    if (sequence instanceof String text) {
      return checked(count * text.length(), () -> text.repeat((int) count));
    } else if (sequence instanceof List<?> list && !(sequence instanceof Range)) {
      return checked(count * list.size(), () -> repeat(list, count));
    }
    throw operands("*", a, b);
  }

  private static Object repeat(List<?> list, long count) {
    List<Object> repeated = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      repeated.addAll(list);
    }
    return list instanceof Tuple ? Tuple.copyOf(repeated) : repeated;
  }

  static Object divide(Object a, Object b) {
    requireNumbers("/", a, b);
    requireNotZero(b);
    return toDouble(a) / toDouble(b);
  }

  /** {@code //}: rounds towards minus infinity. */
  static Object floorDivide(Object a, Object b) {
    requireNumbers("//", a, b);
    requireNotZero(b);
    if (a instanceof Double || b instanceof Double) {
      return Math.floor(toDouble(a) / toDouble(b));
    }
    BigInteger[] parts = toInteger(a).divideAndRemainder(toInteger(b));
    boolean down = parts[1].signum() != 0 && parts[1].signum() != toInteger(b).signum();
    return Values.integer(down ? parts[0].subtract(BigInteger.ONE) : parts[0]);
  }

  /** {@code %}: has the divisor's sign. */
  static Object modulo(Object a, Object b) {
    if (a instanceof String) {
      throw JinjaException.unsupported("formatting with '%'");
    }
    requireNumbers("%", a, b);
    requireNotZero(b);
    if (a instanceof Double || b instanceof Double) {
      double y = toDouble(b);
      double rest = toDouble(a) % y;
      return rest != 0 && (rest < 0) != (y < 0)
          ? rest + y
          : Math.copySign(rest, rest == 0 ? y : rest);
    }
    BigInteger y = toInteger(b);
    BigInteger rest = toInteger(a).mod(y.abs());
    return Values.integer(rest.signum() != 0 && y.signum() < 0 ? rest.add(y) : rest);
  }

  static Object power(Object a, Object b) {
    requireNumbers("**", a, b);
    if (!(a instanceof Double) && !(b instanceof Double) && toInteger(b).signum() >= 0) {
      BigInteger base = toInteger(a);
      BigInteger exponent = toInteger(b);
      if (exponent.bitLength() > 31
          || (long) base.bitLength() * exponent.intValue() > MAX_INTEGER_BITS) {
        throw new JinjaException("the power is too large");
      }
      return Values.integer(base.pow(exponent.intValue()));
    }
    if (toDouble(a) == 0 && toDouble(b) < 0) {
      throw new JinjaException("zero to a negative power");
    }
    return Math.pow(toDouble(a), toDouble(b));
  }

  static Object negate(Object a) {
    if (!Values.isNumber(a)) {
      throw operand("-", a);
    }
    return a instanceof Double d ? (Object) (-d) : Values.integer(toInteger(a).negate());
  }

  static Object plus(Object a) {
    if (!Values.isNumber(a)) {
      throw operand("+", a);
    }
    return a instanceof Double ? a : Values.integer(toInteger(a));
  }

  static double toDouble(Object number) {
    return number instanceof Double d ? d : toInteger(number).doubleValue();
  }

  static BigInteger toInteger(Object number) {
    if (number instanceof Boolean b) {
      return b ? BigInteger.ONE : BigInteger.ZERO;
    }
    return number instanceof BigInteger big ? big : BigInteger.valueOf((Long) number);
  }

  private static Object integer(BigInteger value) {
    if (value.bitLength() > MAX_INTEGER_BITS) {
      throw new JinjaException("a number is too large");
    }
    return Values.integer(value);
  }

  private static <T> T checked(long size, java.util.function.Supplier<T> build) {
    if (size > MAX_SIZE) {
      throw new JinjaException("a value would have more than %d elements".formatted(MAX_SIZE));
    }
    return build.get();
  }

  private static void requireNumbers(String operator, Object a, Object b) {
    if (!Values.isNumber(a) || !Values.isNumber(b)) {
      throw operands(operator, a, b);
    }
  }

  private static void requireNotZero(Object divisor) {
    if (toDouble(divisor) == 0) {
      throw new JinjaException("division by zero");
    }
  }

  private static JinjaException operands(String operator, Object a, Object b) {
    if (a instanceof Undefined undefined) {
      return undefined.error();
    } else if (b instanceof Undefined undefined) {
      return undefined.error();
    }
    return new JinjaException(
        "unsupported operand types for %s: '%s' and '%s'"
            .formatted(operator, Values.typeName(a), Values.typeName(b)));
  }

  private static JinjaException operand(String operator, Object a) {
    return a instanceof Undefined undefined
        ? undefined.error()
        : new JinjaException(
            "bad operand type for unary %s: '%s'".formatted(operator, Values.typeName(a)));
  }
}
