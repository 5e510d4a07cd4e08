package io.lensflow.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses statements. For one template, one thread. */
final class Parser {
  private static final Set<String> LEFT_OUT =
      Set.of("autoescape", "block", "extends", "from", "import", "include", "print");

  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private boolean inLoop;

  private Parser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  /**
   * The statements of a template.
   *
   * @throws JinjaException for what Jinja would refuse or what is left out here
   */
  static List<Statement> parse(String source) {
    Parser parser = new Parser(new TokenStream(Lexer.tokens(source)));
    try {
      return parser.body(Set.of());
    } catch (JinjaException e) {
      throw e.at(parser.tokens.peek().line());
    } catch (StackOverflowError e) {
      throw new JinjaException("the template is nested too deeply");
    }
  }

  /** Statements up to a tag of one of these names, which is left to be read. */
  private List<Statement> body(Set<String> ends) {
    List<Statement> body = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.kind()) {
        case DATA -> body.add(new Statement.Text(token.text()));
        case VARIABLE_BEGIN -> {
          body.add(new Statement.Output(expressions.tuple(), token.line()));
          tokens.expect(Token.Kind.VARIABLE_END);
        }
        case BLOCK_BEGIN -> {
          if (tokens.peek().kind() == Token.Kind.NAME && ends.contains(tokens.peek().text())) {
            return List.copyOf(body);
          }
          body.add(statement(token.line()));
        }
        default -> {
          if (!ends.isEmpty()) {
            throw new JinjaException("the template ends where %s should stand".formatted(ends));
          }
          return List.copyOf(body);
        }
      }
    }
  }

  /** A body and its end tag. */
  private List<Statement> bodyUntil(String end) {
    tokens.expect(Token.Kind.BLOCK_END);
    List<Statement> body = body(Set.of(end));
    tokens.next();
    return body;
  }

  /** The same for a body whose text is captured, out of which no loop's break leads. */
  private List<Statement> capturedUntil(String end) {
    boolean outer = inLoop;
    inLoop = false;
    List<Statement> body = bodyUntil(end);
    inLoop = outer;
    return body;
  }

  private Statement statement(int line) {
    String name = tokens.expectName();
    Statement statement =
        switch (name) {
          case "if" -> branch(line);
          case "for" -> loop(line);
          case "set" -> set(line);
          case "macro" -> macro(line);
          case "call" -> call(line);
          case "with" -> with(line);
          case "filter" -> filterBlock(line);
          // transformers only notes where the assistant's text lies; the text is the same.
          case "generation" ->
              new Statement.With(List.of(), List.of(), capturedUntil("endgeneration"), line);
          case "break" -> jump(Statement.Flow.BREAK, name);
          case "continue" -> jump(Statement.Flow.CONTINUE, name);
          default -> throw unknown(name);
        };
    tokens.expect(Token.Kind.BLOCK_END);
    return statement;
  }

  private static JinjaException unknown(String name) {
    return LEFT_OUT.contains(name)
        ? JinjaException.unsupported("the tag '" + name + "'")
        : new JinjaException("Encountered unknown tag '" + name + "'");
  }

  private Statement jump(Statement.Flow flow, String name) {
    if (!inLoop) {
      throw new JinjaException("'" + name + "' outside loop");
    }
    return new Statement.Jump(flow);
  }

  private Statement branch(int line) {
    Expression condition = expressions.tupleWithoutConditional();
    tokens.expect(Token.Kind.BLOCK_END);
    List<Statement> then = body(Set.of("elif", "else", "endif"));
    Token end = tokens.next();
    List<Statement> otherwise =
        switch (end.text()) {
          case "elif" -> List.of(branch(end.line()));
          case "else" -> bodyUntil("endif");
          default -> List.of();
        };
    return new Statement.If(condition, then, otherwise, line);
  }

  private Statement loop(int line) {
    Target target = target(false);
    if (!tokens.skipName("in")) {
      throw tokens.unexpected("'in'");
    }
    Expression items = expressions.tupleWithoutConditional();
    Expression filter = tokens.skipName("if") ? expressions.expression() : null;
    boolean recursive = tokens.skipName("recursive");
    tokens.expect(Token.Kind.BLOCK_END);
    boolean outer = inLoop;
    inLoop = true;
    List<Statement> body = body(Set.of("else", "endfor"));
    inLoop = outer;
    List<Statement> otherwise = tokens.next().isName("else") ? capturedUntil("endfor") : List.of();
    return new Statement.For(target, items, filter, recursive, body, otherwise, line);
  }

  /** One name or several; of a namespace's attribute only where it may stand. */
  private Target target(boolean withMember) {
    if (withMember && tokens.peek().kind() == Token.Kind.NAME && tokens.peek(1).isOperator(".")) {
      String namespace = tokens.expectName();
      tokens.next();
      return new Target.Member(namespace, tokens.expectName());
    }
    List<Target> targets = new ArrayList<>();
    boolean several = false;
    do {
      if (!targets.isEmpty() && tokens.peek().kind() != Token.Kind.NAME) {
        break;
      }
      if (tokens.skipOperator("(")) {
        targets.add(target(false));
        tokens.expectOperator(")");
      } else {
        targets.add(new Target.Variable(assignable(tokens.expectName())));
      }
    } while (tokens.skipOperator(",") && (several = true));
    return several ? new Target.Several(List.copyOf(targets)) : targets.get(0);
  }

  private static String assignable(String name) {
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
      throw new JinjaException("can't assign to '" + name + "'");
    }
    return name;
  }

  private Statement set(int line) {
    Target target = target(true);
    if (tokens.skipOperator("=")) {
      return new Statement.Set(target, expressions.tuple(), line);
    }
    List<Expression.Filtered> filters = filters();
    return new Statement.SetBlock(target, filters, capturedUntil("endset"), line);
  }

  private List<Expression.Filtered> filters() {
    List<Expression.Filtered> filters = new ArrayList<>();
    while (tokens.skipOperator("|")) {
      filters.add(expressions.filter(null));
    }
    return filters;
  }

  private Statement filterBlock(int line) {
    List<Expression.Filtered> filters = new ArrayList<>(List.of(expressions.filter(null)));
    filters.addAll(filters());
    return new Statement.FilterBlock(filters, capturedUntil("endfilter"), line);
  }

  private Statement with(int line) {
    List<Target> targets = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (tokens.peek().kind() != Token.Kind.BLOCK_END) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      targets.add(new Target.Variable(assignable(tokens.expectName())));
      tokens.expectOperator("=");
      values.add(expressions.expression());
    }
    return new Statement.With(targets, values, bodyUntil("endwith"), line);
  }

  private Statement macro(int line) {
    String name = assignable(tokens.expectName());
    List<Expression> defaults = new ArrayList<>();
    List<String> parameters = parameters(defaults);
    return new Macro(name, parameters, defaults, capturedUntil("endmacro"), line);
  }

  private Statement call(int line) {
    List<Expression> defaults = new ArrayList<>();
    List<String> parameters = tokens.peek().isOperator("(") ? parameters(defaults) : List.of();
    if (!(expressions.expression() instanceof Expression.Call called)) {
      throw new JinjaException("expected call");
    }
    Macro caller = new Macro("caller", parameters, defaults, capturedUntil("endcall"), line);
    return new Macro.CallBlock(called, caller, line);
  }

  /** Parameters in round brackets; the defaults of the last ones are added to the list. */
  private List<String> parameters(List<Expression> defaults) {
    List<String> parameters = new ArrayList<>();
    tokens.expectOperator("(");
    while (!tokens.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expectOperator(",");
      }
      parameters.add(assignable(tokens.expectName()));
      if (tokens.skipOperator("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw new JinjaException("non-default argument follows default argument");
      }
    }
    return List.copyOf(parameters);
  }
}
