package io.lensflow.text.jinja;

import java.util.List;

/** Tokens, read one after the other. For one parser. */
final class TokenStream {
  private final List<Token> tokens;
  private int at;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(at);
  }

  Token peek(int ahead) {
    return tokens.get(Math.min(at + ahead, tokens.size() - 1));
  }

  Token next() {
    Token token = peek();
    if (token.kind() != Token.Kind.END) {
      at++;
    }
    return token;
  }

  boolean skipOperator(String operator) {
    return skip(peek().isOperator(operator));
  }

  boolean skipName(String name) {
    return skip(peek().isName(name));
  }

  private boolean skip(boolean matches) {
    if (matches) {
      at++;
    }
    return matches;
  }

  Token expect(Token.Kind kind) {
    if (peek().kind() != kind) {
      throw unexpected(new Token(kind, "…", 0).describe());
    }
    return next();
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  String expectName() {
    if (peek().kind() != Token.Kind.NAME) {
      throw unexpected("a name");
    }
    return next().text();
  }

  JinjaException unexpected(String wanted) {
    return new JinjaException("expected %s, got %s".formatted(wanted, peek().describe()));
  }
}
