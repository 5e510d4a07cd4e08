package io.lensflow.text.jinja;

/**
 * One token of a template.
 *
 * @param text of DATA and STRING: the text meant; of all others: as written
 * @param line from 1
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    DATA,
    VARIABLE_BEGIN,
    VARIABLE_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind wanted, String wantedText) {
    return kind == wanted && text.equals(wantedText);
  }

  boolean isName(String name) {
    return is(Kind.NAME, name);
  }

  boolean isOperator(String operator) {
    return is(Kind.OPERATOR, operator);
  }

  /** For messages. */
  String describe() {
    return switch (kind) {
      case DATA -> "template data";
      case VARIABLE_BEGIN, VARIABLE_END -> "'" + (kind == Kind.VARIABLE_END ? "}}" : "{{") + "'";
      case BLOCK_BEGIN, BLOCK_END -> "'" + (kind == Kind.BLOCK_END ? "%}" : "{%") + "'";
      case END -> "end of template";
      case STRING -> PythonText.repr(text);
      default -> "'" + text + "'";
    };
  }
}
