package io.lensflow.text.jinja;

/**
 * Text that the filter {@code safe} marked as HTML. It prints as it is; in Python, adding other
 * text to it would escape that text, so what else is done with it is refused.
 */
record Markup(String text) {
  @Override
  public String toString() {
    return text;
  }
}
