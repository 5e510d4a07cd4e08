package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An expression of a template. Immutable; a frame holds all that changes. */
sealed interface Expression {
  Object evaluate(Frame frame);

  record Constant(Object value) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return value;
    }
  }

  record Name(String name) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return frame.lookup(name);
    }
  }

  record ListDisplay(List<Expression> items, boolean isTuple) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      List<Object> values = all(items, frame);
      return isTuple ? Tuple.copyOf(values) : values;
    }
  }

  record DictDisplay(List<Expression> keys, List<Expression> values) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Map<Object, Object> dict = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        dict.put(Operators.key(keys.get(i).evaluate(frame)), values.get(i).evaluate(frame));
      }
      return dict;
    }
  }

  record Attribute(Expression owner, String name) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return Subscripts.attribute(owner.evaluate(frame), name);
    }
  }

  record Item(Expression owner, Expression key) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return Subscripts.item(owner.evaluate(frame), key.evaluate(frame));
    }
  }

  /** A slice; null bounds are left out. */
  record Slice(Expression owner, Expression start, Expression stop, Expression step)
      implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return Subscripts.slice(
          owner.evaluate(frame), bound(start, frame), bound(stop, frame), bound(step, frame));
    }

    private static Object bound(Expression bound, Frame frame) {
      return bound == null ? null : bound.evaluate(frame);
    }
  }

  record Call(Expression callee, CallArguments arguments) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object function = callee.evaluate(frame);
      if (function instanceof Callable callable) {
        return callable.call(arguments.evaluate(frame));
      } else if (function instanceof Undefined undefined) {
        throw undefined.error();
      }
      throw new JinjaException("'%s' object is not callable".formatted(Values.typeName(function)));
    }
  }

  /** Arguments as written. */
  record CallArguments(List<Expression> positional, Map<String, Expression> named) {
    static final CallArguments NONE = new CallArguments(List.of(), Map.of());

    Arguments evaluate(Frame frame) {
      if (positional.isEmpty() && named.isEmpty()) {
        return Arguments.NONE;
      }
      Map<String, Object> values = new LinkedHashMap<>();
      List<Object> first = all(positional, frame);
      named.forEach((name, value) -> values.put(name, value.evaluate(frame)));
      return new Arguments(first, values);
    }
  }

  /** {@code value | name(arguments)}; the value is null in a filter block, which gives its body. */
  record Filtered(Expression value, String name, Filters.Filter filter, CallArguments arguments)
      implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return apply(value.evaluate(frame), frame);
    }

    Object apply(Object input, Frame frame) {
      return filter.apply(input, arguments.evaluate(frame));
    }
  }

  record Tested(Expression value, Tests.Test test, CallArguments arguments) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return test.holds(value.evaluate(frame), arguments.evaluate(frame));
    }
  }

  record Not(Expression operand) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      return !Values.isTrue(operand.evaluate(frame));
    }
  }

  record And(Expression left, Expression right) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object value = left.evaluate(frame);
      return Values.isTrue(value) ? right.evaluate(frame) : value;
    }
  }

  record Or(Expression left, Expression right) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object value = left.evaluate(frame);
      return Values.isTrue(value) ? value : right.evaluate(frame);
    }
  }

  /** {@code then if condition else otherwise}; without else (null) the value is undefined. */
  record Conditional(Expression condition, Expression then, Expression otherwise)
      implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      if (Values.isTrue(condition.evaluate(frame))) {
        return then.evaluate(frame);
      }
      return otherwise != null
          ? otherwise.evaluate(frame)
          : new Undefined("the inline if-expression was false and has no else section");
    }
  }

  /** {@code a ~ b ~ c}: their texts, joined. */
  record Concatenation(List<Expression> parts) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object text = "";
      for (Expression part : parts) {
        text = Operators.add(text, PythonText.str(part.evaluate(frame)));
      }
      return text;
    }
  }

  /** {@code a < b == c …}: each neighbour compared, until one comparison fails. */
  record Comparison(Expression first, List<String> operators, List<Expression> others)
      implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object left = first.evaluate(frame);
      for (int i = 0; i < operators.size(); i++) {
        Object right = others.get(i).evaluate(frame);
        if (!holds(operators.get(i), left, right)) {
          return false;
        }
        left = right;
      }
      return true;
    }

    private static boolean holds(String operator, Object a, Object b) {
      return switch (operator) {
        case "==" -> Operators.equal(a, b);
        case "!=" -> !Operators.equal(a, b);
        case "<" -> Operators.order(a, b) < 0;
        case "<=" -> Operators.order(a, b) <= 0;
        case ">" -> Operators.order(a, b) == 1;
        case ">=" -> Tests.isAtLeast(a, b);
        case "in" -> Operators.contains(b, a);
        default -> !Operators.contains(b, a);
      };
    }
  }

  record Binary(String operator, Expression left, Expression right) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object a = left.evaluate(frame);
      Object b = right.evaluate(frame);
      return switch (operator) {
        case "+" -> Operators.add(a, b);
        case "-" -> Operators.subtract(a, b);
        case "*" -> Operators.multiply(a, b);
        case "/" -> Operators.divide(a, b);
        case "//" -> Operators.floorDivide(a, b);
        case "%" -> Operators.modulo(a, b);
        default -> Operators.power(a, b);
      };
    }
  }

  record Signed(boolean negative, Expression operand) implements Expression {
    @Override
    public Object evaluate(Frame frame) {
      Object value = operand.evaluate(frame);
      return negative ? Operators.negate(value) : Operators.plus(value);
    }
  }

  private static List<Object> all(List<Expression> expressions, Frame frame) {
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(expression.evaluate(frame));
    }
    return values;
  }
}
