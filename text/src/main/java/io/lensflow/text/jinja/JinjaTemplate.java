package io.lensflow.text.jinja;

import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A parsed template, rendered as transformers renders chat templates: Jinja's default undefined
 * values, its immutable sandbox, nothing escaped, blocks trimmed, {@code raise_exception}, {@code
 * strftime_now}, {@code tojson} as Python's {@code json.dumps}, {@code break} and {@code continue}.
 *
 * <p>Immutable and thread-safe: parse once, render often. Text in the variables is only text and is
 * never read as template code. A rendering is bounded in steps, depth and length.
 */
public final class JinjaTemplate {
  private final List<Statement> body;

  private JinjaTemplate(List<Statement> body) {
    this.body = body;
  }

  /**
   * Parses a template.
   *
   * @throws JinjaException for a syntax error, or a construct that is not supported
   */
  public static JinjaTemplate parse(String source) {
    return new JinjaTemplate(Parser.parse(source));
  }

  /**
   * Renders the template.
   *
   * @param variables what JSON knows: strings, booleans, numbers, lists, maps with string keys in
   *     their order, null
   * @param clock gives {@code strftime_now} its time and zone
   * @throws JinjaException if the template refuses the variables or cannot go on with them
   * @throws IllegalArgumentException for a variable of another kind
   */
  public String render(Map<String, ?> variables, Clock clock) {
    Map<String, Object> values = new LinkedHashMap<>();
    variables.forEach((name, value) -> values.put(name, Values.of(value)));
    Frame frame = Frame.root(values, clock);
    try {
      Statement.run(body, frame);
      return frame.output();
    } catch (JinjaException e) {
      throw e.at(frame.line());
    } catch (StackOverflowError e) {
      throw new JinjaException("the values or the template are nested too deeply").at(frame.line());
    }
  }
}
