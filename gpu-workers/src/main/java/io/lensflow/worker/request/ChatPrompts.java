package io.lensflow.worker.request;

import static io.lensflow.worker.request.InvalidRequestException.INVALID_REQUEST;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lensflow.records.Prompt;
import io.lensflow.text.ChatMessage;
import io.lensflow.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Renders the conversations of requests through a checkpoint's chat template. Thread-safe. */
final class ChatPrompts {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};
  private static final TypeReference<List<Map<String, Object>>> OBJECTS = new TypeReference<>() {};

  private final Tokenizer tokenizer;

  ChatPrompts(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * The text of a prompt made of messages.
   *
   * @throws InvalidRequestException naming the field; the template's own words where it refuses
   */
  String render(Prompt prompt) throws InvalidRequestException {
    List<ChatMessage> messages = new ArrayList<>();
    for (int i = 0; i < prompt.getMessages().size(); i++) {
      messages.add(message(prompt.getMessages().get(i), "prompt.messages[" + i + "]"));
    }
    List<Map<String, Object>> tools = parse(prompt.getTools(), "prompt.tools", OBJECTS, "n array");
    Map<String, Object> variables =
        parse(prompt.getTemplateVariables(), "prompt.templateVariables", OBJECT, "n object");
    try {
      return tokenizer
          .chatTemplate()
          .render(messages, tools, variables == null ? Map.of() : variables);
    } catch (IllegalArgumentException | IllegalStateException e) {
      // The template is the checkpoint's own program: it refuses conversations in its own words.
      throw new InvalidRequestException(INVALID_REQUEST, "prompt.messages", e.getMessage());
    }
  }

  private static ChatMessage message(io.lensflow.records.ChatMessage message, String at)
      throws InvalidRequestException {
    if (message.getRole().isBlank()) {
      throw new InvalidRequestException(INVALID_REQUEST, at + ".role", "the message has no role");
    }
    Map<String, Object> fields = parse(message.getFields(), at + ".fields", OBJECT, "n object");
    return new ChatMessage(
        message.getRole(), message.getContent(), fields == null ? Map.of() : fields);
  }

  private static <T> T parse(String json, String field, TypeReference<T> type, String wanted)
      throws InvalidRequestException {
    if (json == null) {
      return null;
    }
    try {
      return JSON.readValue(json, type);
    } catch (JsonProcessingException e) {
      throw new InvalidRequestException(
          INVALID_REQUEST,
          field,
          "it must be the JSON text of a%s: %s".formatted(wanted, e.getOriginalMessage()));
    }
  }
}
