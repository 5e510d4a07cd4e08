package io.lensflow.text;

import io.lensflow.text.jinja.JinjaException;
import io.lensflow.text.jinja.JinjaTemplate;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint's chat template, rendered as transformers' {@code apply_chat_template} does.
 * Immutable and thread-safe.
 */
public final class ChatTemplate {
  static final String DEFAULT = "default";
  private static final String TOOL_USE = "tool_use";

  private final Map<String, Named> templates;
  private final Map<String, String> specialTokens;
  private final Clock clock;

  /** A parsed template, or why it could not be parsed: text and token ids need none. */
  private record Named(JinjaTemplate template, JinjaException failure) {
    static Named parse(String source) {
      try {
        return new Named(JinjaTemplate.parse(source), null);
      } catch (JinjaException e) {
        return new Named(null, e);
      }
    }
  }

  ChatTemplate(Map<String, String> sources, Map<String, String> specialTokens) {
    this(sources, specialTokens, Clock.systemDefaultZone());
  }

  /**
   * @param sources templates by name; {@code default} is used, or {@code tool_use} where tools are
   *     given
   * @param clock what {@code strftime_now} tells
   */
  ChatTemplate(Map<String, String> sources, Map<String, String> specialTokens, Clock clock) {
    this.templates = new HashMap<>();
    sources.forEach((name, source) -> templates.put(name, Named.parse(source)));
    this.specialTokens = Map.copyOf(specialTokens);
    this.clock = clock;
  }

  private ChatTemplate(ChatTemplate that, Clock clock) {
    this.templates = that.templates;
    this.specialTokens = that.specialTokens;
    this.clock = clock;
  }

  /** The same templates under another clock, such as one that stands still. */
  public ChatTemplate withClock(Clock other) {
    return new ChatTemplate(this, other);
  }

  /**
   * Reads the templates of a checkpoint folder.
   *
   * @return null if the folder has none
   */
  static ChatTemplate load(Path folder) throws IOException {
    return new ChatTemplateFiles(folder).read();
  }

  /**
   * Renders a conversation without tools.
   *
   * @param variables further template variables, such as {@code enable_thinking}
   */
  public String render(List<ChatMessage> messages, Map<String, ?> variables) {
    return render(messages, null, variables);
  }

  /**
   * Renders a conversation, with the generation prompt added unless the variable {@code
   * add_generation_prompt} is false.
   *
   * @param tools descriptions of the tools that the model may call, as JSON objects; null for none
   * @param variables further template variables, such as {@code enable_thinking}; they go before
   *     the checkpoint's special tokens of the same name
   * @throws IllegalArgumentException if the template refuses the conversation, in its own words, or
   *     cannot be rendered with it
   */
  public String render(
      List<ChatMessage> messages, List<Map<String, Object>> tools, Map<String, ?> variables) {
    for (String reserved : List.of("messages", "tools")) {
      if (variables.containsKey(reserved)) {
        throw new IllegalArgumentException(
            "the template variable '%s' has a field of its own; give it there".formatted(reserved));
      }
    }
    Map<String, Object> bindings = new HashMap<>(specialTokens);
    bindings.put("documents", null);
    bindings.put("add_generation_prompt", true);
    bindings.putAll(variables);
    bindings.put("messages", messages.stream().map(ChatMessage::toMap).toList());
    bindings.put("tools", tools);
    return rendered(tools != null, bindings);
  }

  private String rendered(boolean withTools, Map<String, Object> bindings) {
    try {
      return chosen(withTools).render(bindings, clock);
    } catch (JinjaException e) {
      throw new IllegalArgumentException(
          e.isRaisedByTemplate()
              ? "the chat template refuses these messages: " + e.getMessage()
              : "the chat template cannot be rendered: " + e.getMessage(),
          e);
    }
  }

  private JinjaTemplate chosen(boolean withTools) {
    String name = withTools && templates.containsKey(TOOL_USE) ? TOOL_USE : DEFAULT;
    Named chosen = templates.get(name);
    if (chosen == null) {
      throw new IllegalArgumentException(
          "the checkpoint has no chat template named '%s', only %s"
              .formatted(name, templates.keySet().stream().sorted().toList()));
    }
    if (chosen.failure() != null) {
      throw chosen.failure();
    }
    return chosen.template();
  }
}
