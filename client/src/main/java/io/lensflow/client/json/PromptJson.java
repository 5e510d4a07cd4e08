package io.lensflow.client.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.records.ChatMessage;
import io.lensflow.records.Prompt;
import java.util.ArrayList;
import java.util.List;

/**
 * The prompt of a request: {@code "prompt": "text"}, {@code "prompt": {"text" | "messages" |
 * "tokenIds"}}, or {@code messages} or {@code tokenIds} beside the other fields. Exactly one.
 */
final class PromptJson {
  private static final int MAX_MESSAGES = 10_000;
  private static final int MAX_TOKENS = 4 << 20;

  private PromptJson() {}

  static Prompt read(JsonFields in, int maxChars) {
    List<String> given = new ArrayList<>();
    Prompt.Builder prompt = Prompt.newBuilder();
    JsonNode node = in.get("prompt");
    if (node != null && node.isTextual()) {
      given.add("prompt");
      prompt.setText(text(node, "prompt", maxChars));
    } else if (node != null) {
      JsonFields object = new JsonFields(node, "prompt");
      if (object.get("text") != null) {
        given.add("prompt.text");
        prompt.setText(text(object.get("text"), "prompt.text", maxChars));
      }
      lists(object, prompt, given, maxChars);
      object.refuseOthers();
    }
    lists(in, prompt, given, maxChars);
    if (given.size() != 1) {
      throw new InvalidRequestException(
          given.isEmpty() ? "prompt" : given.get(1),
          given.isEmpty()
              ? "the prompt is missing; give prompt.text, prompt.messages or prompt.tokenIds"
              : "%s are both given; a request has exactly one prompt"
                  .formatted(String.join(" and ", given.subList(0, 2))));
    }
    return prompt.build();
  }

  private static void lists(
      JsonFields in, Prompt.Builder prompt, List<String> given, int maxChars) {
    List<ChatMessage> messages =
        in.list("messages", MAX_MESSAGES, (node, path) -> message(node, path, maxChars));
    if (messages != null) {
      given.add(in.path("messages"));
      prompt.setMessages(notEmpty(messages, in.path("messages")));
    }
    List<Integer> tokenIds = in.list("tokenIds", MAX_TOKENS, RequestJson::tokenId);
    if (tokenIds != null) {
      given.add(in.path("tokenIds"));
      prompt.setTokenIds(notEmpty(tokenIds, in.path("tokenIds")));
    }
  }

  private static String text(JsonNode node, String path, int maxChars) {
    String text = JsonFields.text(node, path, maxChars);
    if (text.isEmpty()) {
      throw new InvalidRequestException(path, path + " is empty; a prompt needs some text");
    }
    return text;
  }

  private static ChatMessage message(JsonNode node, String path, int maxChars) {
    JsonFields in = new JsonFields(node, path);
    String role = in.text("role", "", 100);
    if (role.isBlank()) {
      throw new InvalidRequestException(
          in.path("role"), in.path("role") + " is missing; such as system, user or assistant");
    }
    String content = in.text("content", null, maxChars);
    if (content == null) {
      throw new InvalidRequestException(in.path("content"), in.path("content") + " is missing");
    }
    in.refuseOthers();
    return ChatMessage.newBuilder().setRole(role).setContent(content).build();
  }

  private static <T> List<T> notEmpty(List<T> list, String path) {
    if (list.isEmpty()) {
      throw new InvalidRequestException(path, path + " is empty; a prompt needs at least one");
    }
    return list;
  }
}
