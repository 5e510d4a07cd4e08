package io.lensflow.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Parses expressions, by Jinja's grammar and precedence. For one template, one thread. */
final class ExpressionParser {
  private static final Map<String, Object> CONSTANTS = constants();

  private final TokenStream tokens;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  private static Map<String, Object> constants() {
    Map<String, Object> constants = new LinkedHashMap<>();
    for (String name : List.of("true", "True")) {
      constants.put(name, true);
    }
    for (String name : List.of("false", "False")) {
      constants.put(name, false);
    }
    constants.put("none", null);
    constants.put("None", null);
    return constants;
  }

  /** An expression; with commas, a tuple. */
  Expression tuple() {
    return tuple(true, false);
  }

  /** The same without inline ifs, which a loop's own {@code if} would be taken for. */
  Expression tupleWithoutConditional() {
    return tuple(false, false);
  }

  private Expression tuple(boolean conditional, boolean bracketed) {
    List<Expression> items = new ArrayList<>();
    boolean isTuple = false;
    while (!endsTuple()) {
      items.add(conditional ? expression() : or());
      if (!tokens.skipOperator(",")) {
        break;
      }
      isTuple = true;
    }
    if (items.isEmpty() && !bracketed) {
      throw tokens.unexpected("an expression");
    }
    return items.size() == 1 && !isTuple
        ? items.get(0)
        : new Expression.ListDisplay(List.copyOf(items), true);
  }

  private boolean endsTuple() {
    return switch (tokens.peek().kind()) {
      case VARIABLE_END, BLOCK_END, END -> true;
      case OPERATOR -> tokens.peek().isOperator(")");
      default -> false;
    };
  }

  Expression expression() {
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression condition = or();
      Expression otherwise = tokens.skipName("else") ? expression() : null;
      value = new Expression.Conditional(condition, value, otherwise);
    }
    return value;
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      left = new Expression.Or(left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      left = new Expression.And(left, not());
    }
    return left;
  }

  private Expression not() {
    return tokens.skipName("not") ? new Expression.Not(not()) : comparison();
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    for (String operator; (operator = comparisonOperator()) != null; ) {
      operators.add(operator);
      others.add(sum());
    }
    return operators.isEmpty() ? first : new Expression.Comparison(first, operators, others);
  }

  private String comparisonOperator() {
    for (String operator : List.of("==", "!=", "<", "<=", ">", ">=")) {
      if (tokens.skipOperator(operator)) {
        return operator;
      }
    }
    if (tokens.skipName("in")) {
      return "in";
    } else if (tokens.peek().isName("not") && tokens.peek(1).isName("in")) {
      tokens.next();
      tokens.next();
      return "not in";
    }
    return null;
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
      left = new Expression.Binary(tokens.next().text(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    List<Expression> parts = new ArrayList<>(List.of(product()));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.get(0) : new Expression.Concatenation(parts);
  }

  private Expression product() {
    Expression left = power();
    while (tokens.peek().isOperator("*")
        || tokens.peek().isOperator("/")
        || tokens.peek().isOperator("//")
        || tokens.peek().isOperator("%")) {
      left = new Expression.Binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.skipOperator("**")) {
      left = new Expression.Binary("**", left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean withFilters) {
    Expression value;
    if (tokens.skipOperator("-")) {
      value = new Expression.Signed(true, unary(false));
    } else if (tokens.skipOperator("+")) {
      value = new Expression.Signed(false, unary(false));
    } else {
      value = primary();
    }
    value = postfix(value);
    return withFilters ? filters(value) : value;
  }

  private Expression primary() {
    Token token = tokens.peek();
    switch (token.kind()) {
      case NAME:
        tokens.next();
        return CONSTANTS.containsKey(token.text())
            ? new Expression.Constant(CONSTANTS.get(token.text()))
            : new Expression.Name(token.text());
      case STRING:
        StringBuilder text = new StringBuilder();
        while (tokens.peek().kind() == Token.Kind.STRING) {
          text.append(tokens.next().text());
        }
        return new Expression.Constant(text.toString());
      case INTEGER:
        tokens.next();
        return new Expression.Constant(integer(token.text()));
      case FLOAT:
        tokens.next();
        return new Expression.Constant(Double.valueOf(token.text().replace("_", "")));
      default:
        if (tokens.skipOperator("(")) {
          Expression inner = tuple(true, true);
          tokens.expectOperator(")");
          return inner;
        } else if (tokens.skipOperator("[")) {
          return new Expression.ListDisplay(items("]"), false);
        } else if (tokens.skipOperator("{")) {
          return dict();
        }
        throw tokens.unexpected("an expression");
    }
  }

  private static Object integer(String written) {
    String digits = written.replace("_", "").toLowerCase(Locale.ROOT);
    int radix =
        digits.startsWith("0x")
            ? 16
            : digits.startsWith("0o") ? 8 : digits.startsWith("0b") ? 2 : 10;
    return Values.integer(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
  }

  /** Items up to a closing bracket, which may follow a comma. */
  private List<Expression> items(String close) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.skipOperator(close)) {
      if (!items.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(close)) {
          break;
        }
      }
      items.add(expression());
    }
    return List.copyOf(items);
  }

  private Expression dict() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.skipOperator("}")) {
      if (!keys.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      tokens.expectOperator(":");
      values.add(expression());
    }
    return new Expression.DictDisplay(List.copyOf(keys), List.copyOf(values));
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    while (true) {
      if (tokens.skipOperator(".")) {
        Token token = tokens.next();
        value =
            switch (token.kind()) {
              case NAME -> new Expression.Attribute(value, token.text());
              case INTEGER ->
                  new Expression.Item(value, new Expression.Constant(integer(token.text())));
              default ->
                  throw new JinjaException("expected name or number, got " + token.describe());
            };
      } else if (tokens.skipOperator("[")) {
        value = subscript(value);
      } else if (tokens.peek().isOperator("(")) {
        value = new Expression.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression owner) {
    Expression start = null;
    if (!tokens.peek().isOperator(":")) {
      start = expression();
      if (tokens.peek().isOperator(",")) {
        throw JinjaException.unsupported("a subscript with a comma");
      } else if (tokens.skipOperator("]")) {
        return new Expression.Item(owner, start);
      }
    }
    tokens.expectOperator(":");
    Expression stop = bound();
    Expression step = tokens.skipOperator(":") ? bound() : null;
    tokens.expectOperator("]");
    return new Expression.Slice(owner, start, stop, step);
  }

  private Expression bound() {
    return tokens.peek().isOperator(":") || tokens.peek().isOperator("]") ? null : expression();
  }

  /** Arguments in round brackets. */
  Expression.CallArguments arguments() {
    tokens.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tokens.skipOperator(")")) {
      if (!positional.isEmpty() || !named.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(")")) {
          break;
        }
      }
      if (tokens.peek().isOperator("*") || tokens.peek().isOperator("**")) {
        throw JinjaException.unsupported("'" + tokens.peek().text() + "' in a call's arguments");
      } else if (tokens.peek().kind() == Token.Kind.NAME && tokens.peek(1).isOperator("=")) {
        String name = tokens.next().text();
        tokens.next();
        named.put(name, expression());
      } else if (!named.isEmpty()) {
        throw new JinjaException("a positional argument follows a named one");
      } else {
        positional.add(expression());
      }
    }
    return new Expression.CallArguments(List.copyOf(positional), named);
  }

  private Expression filters(Expression start) {
    Expression value = start;
    while (true) {
      if (tokens.skipOperator("|")) {
        value = filter(value);
      } else if (tokens.skipName("is")) {
        value = test(value);
      } else if (tokens.peek().isOperator("(")) {
        value = new Expression.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  /** A filter, after its bar; the value may be null, in a filter block. */
  Expression.Filtered filter(Expression value) {
    String name = dottedName();
    Expression.CallArguments arguments =
        tokens.peek().isOperator("(") ? arguments() : Expression.CallArguments.NONE;
    return new Expression.Filtered(value, name, Filters.named(name), arguments);
  }

  private String dottedName() {
    StringBuilder name = new StringBuilder(tokens.expectName());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expectName());
    }
    return name.toString();
  }

  private Expression test(Expression value) {
    boolean negated = tokens.skipName("not");
    String name = dottedName();
    Expression.CallArguments arguments = Expression.CallArguments.NONE;
    if (tokens.peek().isOperator("(")) {
      arguments = arguments();
    } else if (startsTestArgument(tokens.peek())) {
      if (tokens.peek().isName("is")) {
        throw new JinjaException("You cannot chain multiple tests with is");
      }
      Expression argument = postfix(primary());
      arguments = new Expression.CallArguments(List.of(argument), Map.of());
    }
    Expression test = new Expression.Tested(value, Tests.named(name), arguments);
    return negated ? new Expression.Not(test) : test;
  }

  private static boolean startsTestArgument(Token token) {
    return switch (token.kind()) {
      case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.isOperator("[") || token.isOperator("{");
      default -> false;
    };
  }
}
