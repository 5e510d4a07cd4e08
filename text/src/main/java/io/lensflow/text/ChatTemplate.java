package io.lensflow.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint's Jinja chat template, rendered as transformers does: blocks trimmed, {@code
 * raise_exception} known, nothing escaped. Immutable and thread-safe.
 */
public final class ChatTemplate {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Jinjava JINJA = jinjava();

  private final String source;
  private final Map<String, Object> specialTokens;

  ChatTemplate(String source, Map<String, Object> specialTokens) {
    this.source = source;
    this.specialTokens = specialTokens;
  }

  /**
   * Reads {@code chat_template.jinja}, or {@code chat_template} of {@code tokenizer_config.json}.
   *
   * @return null if the folder has neither
   */
  static ChatTemplate load(Path folder) throws IOException {
    Path config = folder.resolve("tokenizer_config.json");
    Path own = folder.resolve("chat_template.jinja");
    JsonNode root = Files.exists(config) ? JSON.readTree(config.toFile()) : JSON.createObjectNode();
    String source = Files.exists(own) ? Files.readString(own) : source(root.get("chat_template"));
    return source == null ? null : new ChatTemplate(source, specialTokens(root));
  }

  /** A template is a string, or a list of named ones of which "default" is meant. */
  private static String source(JsonNode template) {
    if (template == null || template.isNull()) {
      return null;
    }
    if (template.isTextual()) {
      return template.textValue();
    }
    for (JsonNode named : template) {
      if ("default".equals(named.path("name").textValue())) {
        return named.path("template").textValue();
      }
    }
    return null;
  }

  private static Map<String, Object> specialTokens(JsonNode root) {
    Map<String, Object> tokens = new HashMap<>();
    for (String name : List.of("bos_token", "eos_token", "pad_token", "unk_token")) {
      JsonNode token = root.path(name);
      String text = token.isObject() ? token.path("content").textValue() : token.textValue();
      if (text != null) {
        tokens.put(name, text);
      }
    }
    return tokens;
  }

  /**
   * Renders a conversation with the generation prompt added.
   *
   * @param variables further template variables, such as {@code enable_thinking}
   * @throws IllegalArgumentException if the template refuses the conversation; the message is the
   *     template's own
   */
  public String render(List<ChatMessage> messages, Map<String, Object> variables) {
    List<Map<String, Object>> turns =
        messages.stream()
            .map(
                message -> {
                  Map<String, Object> turn = new LinkedHashMap<>();
                  turn.put("role", message.role());
                  turn.put("content", message.content());
                  return turn;
                })
            .toList();
    return render(turns, true, variables);
  }

  String render(
      List<Map<String, Object>> messages,
      boolean addGenerationPrompt,
      Map<String, Object> variables) {
    Map<String, Object> bindings = new HashMap<>(specialTokens);
    bindings.putAll(variables);
    bindings.put("messages", messages);
    bindings.put("add_generation_prompt", addGenerationPrompt);
    RenderResult result = JINJA.renderForResult(source, bindings);
    for (TemplateError error : result.getErrors()) {
      if (error.getSeverity() == TemplateError.ErrorType.FATAL) {
        throw new IllegalArgumentException(
            "the chat template refuses these messages: " + rootMessage(error));
      }
    }
    return result.getOutput();
  }

  /** Called by templates as {@code raise_exception(message)}. */
  public static String raiseException(String message) {
    throw new IllegalArgumentException(message);
  }

  private static String rootMessage(TemplateError error) {
    Throwable cause = error.getException();
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause == null ? error.getMessage() : cause.getMessage();
  }

  private static Jinjava jinjava() {
    Jinjava jinjava =
        new Jinjava(
            JinjavaConfig.newBuilder()
                .withTrimBlocks(true)
                .withLstripBlocks(true)
                .withKeepTrailingNewline(true)
                .withNestedInterpretationEnabled(false)
                .withLegacyOverrides(
                    LegacyOverrides.newBuilder()
                        .withEvaluateMapKeys(true)
                        .withIterateOverMapKeys(true)
                        .withUsePyishObjectMapper(false)
                        .withUseNaturalOperatorPrecedence(true)
                        .withParseWhitespaceControlStrictly(true)
                        .withKeepNullableLoopValues(true)
                        .build())
                .build());
    jinjava
        .getGlobalContext()
        .registerFunction(
            new ELFunctionDefinition(
                "", "raise_exception", ChatTemplate.class, "raiseException", String.class));
    return jinjava;
  }
}
