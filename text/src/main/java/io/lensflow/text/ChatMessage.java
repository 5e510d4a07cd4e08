package io.lensflow.text;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One turn of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant}, {@code tool} or what else the
 *     template knows
 * @param content the turn's text
 * @param fields further fields as the template spells them, such as {@code tool_calls} or {@code
 *     reasoning_content}; values are what JSON knows. A {@code content} among them stands in place
 *     of the text: null, or a list of parts
 */
public record ChatMessage(String role, String content, Map<String, Object> fields) {
  public ChatMessage {
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  /** A turn of text alone. */
  public ChatMessage(String role, String content) {
    this(role, content, Map.of());
  }

  /** The turn as a template sees it. */
  Map<String, Object> toMap() {
    Map<String, Object> turn = new LinkedHashMap<>();
    turn.put("role", role);
    turn.put("content", content);
    turn.putAll(fields);
    return turn;
  }
}
