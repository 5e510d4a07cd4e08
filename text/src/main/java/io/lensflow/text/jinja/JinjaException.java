package io.lensflow.text.jinja;

/**
 * A template that cannot be parsed or rendered. The message names the construct or the value, and
 * the template's line.
 */
public final class JinjaException extends RuntimeException {
  private final boolean raised;

  JinjaException(String message) {
    this(message, false);
  }

  private JinjaException(String message, boolean raised) {
    super(message);
    this.raised = raised;
  }

  /** What {@code raise_exception} throws: the template's own words. */
  static JinjaException raisedByTemplate(String message) {
    return new JinjaException(message, true);
  }

  /** Something of Jinja or Python that this implementation leaves out. */
  static JinjaException unsupported(String construct) {
    return new JinjaException(construct + " is not supported in chat templates here");
  }

  /** Whether the template itself refused its input, through {@code raise_exception}. */
  public boolean isRaisedByTemplate() {
    return raised;
  }

  /** The same, with the line where it happened; a template's own words stay as they are. */
  JinjaException at(int line) {
    if (raised) {
      return this;
    }
    JinjaException located =
        new JinjaException(getMessage() + " (line " + line + " of the template)", false);
    located.setStackTrace(getStackTrace());
    return located;
  }
}
