package io.lensflow.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens, with the white space rules that transformers sets: {@code
 * trim_blocks} and {@code lstrip_blocks} on, {@code keep_trailing_newline} off; {@code -} and
 * {@code +} beside a tag as Jinja reads them. For one template, one thread.
 */
final class Lexer {
  /** White space as Python's patterns know it. */
  private static final String SPACE =
      "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

  private static final Pattern RAW_BEGIN =
      Pattern.compile("\\{%[-+]?S*rawS*(?:-%\\}S*|%\\})".replace("S", SPACE));
  private static final Pattern RAW_END =
      Pattern.compile("\\{%([-+]?)S*endrawS*(?:\\+%\\}|-%\\}S*|%\\}\\n?)".replace("S", SPACE));
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\\da-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");
  private static final List<String> LONG_OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=");
  private static final String OPERATORS = "+-*/%~[](){}><=.:|,;";

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private int counted;

  private Lexer(String source) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    this.source = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
  }

  /**
   * All tokens, the last of kind END.
   *
   * @throws JinjaException for what is no token, or a tag without end
   */
  static List<Token> tokens(String source) {
    Lexer lexer = new Lexer(source);
    try {
      lexer.run();
    } catch (JinjaException e) {
      throw e.at(lexer.line(lexer.at));
    }
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        add(Token.Kind.DATA, source.substring(at), at);
        at = source.length();
        break;
      }
      addData(tag);
      char kind = source.charAt(tag + 1);
      at = tag;
      Matcher raw = RAW_BEGIN.matcher(source).region(tag, source.length());
      if (kind == '%' && raw.lookingAt()) {
        at = raw.end();
        addRaw();
        continue;
      }
      at = tag + 2;
      if (at < source.length() && "-+".indexOf(source.charAt(at)) >= 0) {
        at++;
      }
      if (kind == '#') {
        skipComment();
      } else {
        boolean block = kind == '%';
        add(block ? Token.Kind.BLOCK_BEGIN : Token.Kind.VARIABLE_BEGIN, "", tag);
        addCode(block);
      }
    }
    add(Token.Kind.END, "", at);
  }

  private int nextTag() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  /** The text up to a tag, less the white space that the tag takes away. */
  private void addData(int tag) {
    boolean output = source.charAt(tag + 1) == '{';
    char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
    addData(source.substring(at, tag), sign, output);
  }

  private void addData(String text, char sign, boolean beforeOutput) {
    String left = text;
    if (sign == '-') {
      left = PythonText.stripEnd(text);
    } else if (sign != '+' && !beforeOutput) {
      int lineStart = text.lastIndexOf('\n') + 1;
      boolean whole = lineStart > 0 || at == 0 || source.charAt(at - 1) == '\n';
      if (whole && PythonText.strip(text.substring(lineStart)).isEmpty()) {
        left = text.substring(0, lineStart);
      }
    }
    if (!left.isEmpty()) {
      add(Token.Kind.DATA, left, at);
    }
  }

  private void addRaw() {
    Matcher end = RAW_END.matcher(source);
    if (!end.find(at)) {
      throw new JinjaException("Missing end of raw directive");
    }
    char sign = end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0);
    addData(source.substring(at, end.start()), sign, false);
    at = end.end();
  }

  private void skipComment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw new JinjaException("Missing end of comment tag");
    }
    char sign = end > at ? source.charAt(end - 1) : ' ';
    at = end + 2;
    afterTag(sign, true);
  }

  /** What a tag's end takes away behind it: a line end, or with a minus all white space. */
  private void afterTag(char sign, boolean trim) {
    if (sign == '-') {
      skipSpace();
    } else if (sign != '+' && trim && source.startsWith("\n", at)) {
      at++;
    }
  }

  private void skipSpace() {
    while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
      at++;
    }
  }

  private void addCode(boolean block) {
    String end = block ? "%}" : "}}";
    Token.Kind endKind = block ? Token.Kind.BLOCK_END : Token.Kind.VARIABLE_END;
    Deque<Character> open = new ArrayDeque<>();
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        throw new JinjaException("a tag is not closed with '" + end + "'");
      }
      if (open.isEmpty()) {
        char sign = source.charAt(at);
        boolean signed = (sign == '-' || (sign == '+' && block)) && source.startsWith(end, at + 1);
        if (signed || source.startsWith(end, at)) {
          add(endKind, "", at);
          at += signed ? 3 : 2;
          afterTag(signed ? sign : ' ', block);
          return;
        }
      }
      addCodeToken(open);
    }
  }

  private void addCodeToken(Deque<Character> open) {
    int start = at;
    int c = source.codePointAt(at);
    boolean afterDot = at > 0 && source.charAt(at - 1) == '.';
    if (c >= '0' && c <= '9' && !afterDot && lookingAt(FLOAT)) {
      add(Token.Kind.FLOAT, source.substring(start, at), start);
    } else if (c >= '0' && c <= '9' && lookingAt(INTEGER)) {
      add(Token.Kind.INTEGER, source.substring(start, at), start);
    } else if (c == '_' || Character.isUnicodeIdentifierStart(c)) {
      while (at < source.length() && isNamePart(source.codePointAt(at))) {
        at += Character.charCount(source.codePointAt(at));
      }
      add(Token.Kind.NAME, source.substring(start, at), start);
    } else if (c == '"' || c == '\'') {
      addString((char) c);
    } else {
      addOperator(open);
    }
  }

  private static boolean isNamePart(int c) {
    return c == '_' || Character.isLetterOrDigit(c) || Character.isUnicodeIdentifierPart(c);
  }

  private boolean lookingAt(Pattern pattern) {
    Matcher matcher = pattern.matcher(source).region(at, source.length());
    if (!matcher.lookingAt()) {
      return false;
    }
    at = matcher.end();
    return true;
  }

  private void addOperator(Deque<Character> open) {
    int start = at;
    char c = source.charAt(at);
    for (String operator : LONG_OPERATORS) {
      if (source.startsWith(operator, at)) {
        add(Token.Kind.OPERATOR, operator, start);
        at += 2;
        return;
      }
    }
    if (OPERATORS.indexOf(c) < 0) {
      throw new JinjaException("unexpected char " + PythonText.repr(Character.toString(c)));
    }
    int opening = "([{".indexOf(c);
    int closing = ")]}".indexOf(c);
    if (opening >= 0) {
      open.push(")]}".charAt(opening));
    } else if (closing >= 0 && (open.isEmpty() || open.pop() != c)) {
      throw new JinjaException("unexpected '" + c + "'");
    }
    add(Token.Kind.OPERATOR, Character.toString(c), start);
    at++;
  }

  private void addString(char quote) {
    int start = at++;
    StringBuilder text = new StringBuilder();
    while (at < source.length() && source.charAt(at) != quote) {
      if (source.charAt(at) == '\\' && at + 1 < source.length()) {
        at++;
        escape(text);
      } else {
        text.append(source.charAt(at++));
      }
    }
    if (at >= source.length()) {
      at = start;
      throw new JinjaException("a string is not closed");
    }
    at++;
    add(Token.Kind.STRING, text.toString(), start);
  }

  /** What stands after a backslash, by the rules of Python's strings. */
  private void escape(StringBuilder text) {
    char c = source.charAt(at++);
    switch (c) {
      case '\n' -> {
        // A line that goes on: nothing.
      }
      case '\\', '\'', '"' -> text.append(c);
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case 'r' -> text.append('\r');
      case 'a' -> text.append('\u0007');
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case 'v' -> text.append('\u000b');
      case 'x' -> text.appendCodePoint(hex(2));
      case 'u' -> text.appendCodePoint(hex(4));
      case 'U' -> text.appendCodePoint(hex(8));
      case 'N' -> throw JinjaException.unsupported("the escape '\\N'");
      default -> {
        if (c >= '0' && c <= '7') {
          int value = c - '0';
          for (int i = 0; i < 2 && at < source.length() && isOctal(source.charAt(at)); i++) {
            value = value * 8 + source.charAt(at++) - '0';
          }
          text.appendCodePoint(value);
        } else {
          text.append('\\').append(c);
        }
      }
    }
  }

  private static boolean isOctal(char c) {
    return c >= '0' && c <= '7';
  }

  private int hex(int digits) {
    int end = Math.min(source.length(), at + digits);
    String text = source.substring(at, end);
    if (text.length() < digits || !text.matches("[0-9a-fA-F]+")) {
      throw new JinjaException(
          "an escape in a string needs %d hexadecimal digits".formatted(digits));
    }
    at = end;
    long value = Long.parseLong(text, 16);
    if (value > Character.MAX_CODE_POINT) {
      throw new JinjaException("\\U%s is no character".formatted(text));
    }
    return (int) value;
  }

  private void add(Token.Kind kind, String text, int position) {
    tokens.add(new Token(kind, text, line(position)));
  }

  /** Line of a position; positions only grow. */
  private int line(int position) {
    for (; counted < Math.min(position, source.length()); counted++) {
      if (source.charAt(counted) == '\n') {
        line++;
      }
    }
    return line;
  }
}
