package io.lensflow.text;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One turn of a conversation. Immutable and thread-safe, as long as nobody changes the values.
 *
 * @param role {@code system}, {@code user}, {@code assistant}, {@code tool} or what else the
 *     template knows
 * @param content the turn's text; null where it has none
 * @param fields further fields as the template spells them, such as {@code tool_calls} or {@code
 *     reasoning_content}; values are what JSON knows. A {@code content} among them stands in place
 *     of the text, such as a list of parts
 */
public record ChatMessage(String role, String content, Map<String, Object> fields) {
  /** Names of what a model reasoned; the first that is given holds for all. */
  private static final List<String> REASONING =
      List.of("reasoning_content", "thinking", "reasoning");

  public ChatMessage {
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  /** A turn of text alone. */
  public ChatMessage(String role, String content) {
    this(role, content, Map.of());
  }

  /**
   * The turn as a template sees it, by transformers' rules: fields that are null are left out,
   * since many templates would print them, and what a model reasoned stands under the names that
   * templates know.
   */
  Map<String, Object> toMap() {
    Map<String, Object> given = new LinkedHashMap<>();
    given.put("role", role);
    given.put("content", content);
    given.putAll(fields);
    given.values().removeIf(Objects::isNull);
    for (String name : REASONING) {
      if (given.containsKey(name)) {
        Map<String, Object> turn = new LinkedHashMap<>();
        turn.put("thinking", given.get(name));
        turn.putAll(given);
        turn.put("reasoning_content", given.get(name));
        return turn;
      }
    }
    return given;
  }
}
