package io.lensflow.client.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.records.ChatMessage;
import io.lensflow.records.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The prompt of a request: {@code "prompt": "text"}, {@code "prompt": {"text" | "messages" |
 * "tokenIds"}}, or {@code messages} or {@code tokenIds} beside the other fields. Exactly one.
 * Beside {@code messages}, {@code tools} and {@code templateVariables} may stand.
 *
 * <p>Messages are spelled as chat templates spell them, so with {@code tool_calls} and the like.
 */
final class PromptJson {
  private static final int MAX_MESSAGES = 10_000;
  private static final int MAX_TOKENS = 4 << 20;
  private static final int MAX_TOOLS = 1_000;

  /** Fields of a message beside role and content, which go to the template as they are. */
  private static final List<String> MESSAGE_FIELDS =
      List.of("name", "tool_calls", "tool_call_id", "reasoning_content", "reasoning", "thinking");

  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

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
    if (prompt.getMessages() == null) {
      refuseWithoutMessages("tools", prompt.getTools());
      refuseWithoutMessages("templateVariables", prompt.getTemplateVariables());
    }
    return prompt.build();
  }

  private static void refuseWithoutMessages(String field, String value) {
    if (value != null) {
      throw new InvalidRequestException(
          field, field + " go to the chat template; give messages, not text or token ids");
    }
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
    template(in, prompt, maxChars);
  }

  private static void template(JsonFields in, Prompt.Builder prompt, int maxChars) {
    List<JsonNode> tools = in.list("tools", MAX_TOOLS, PromptJson::tool);
    if (tools != null) {
      refuseTwice(prompt.getTools(), in.path("tools"));
      prompt.setTools(json(in.get("tools"), in.path("tools"), maxChars));
    }
    JsonNode variables = in.get("templateVariables");
    if (variables != null) {
      String path = in.path("templateVariables");
      refuseTwice(prompt.getTemplateVariables(), path);
      // For its message, should it be no object.
      JsonFields object = new JsonFields(variables, path);
      variables.fieldNames().forEachRemaining(name -> checkVariable(name, object.path(name)));
      prompt.setTemplateVariables(json(variables, path, maxChars));
    }
  }

  private static void refuseTwice(String before, String path) {
    if (before != null) {
      throw new InvalidRequestException(path, path + " is given twice; give it once");
    }
  }

  private static JsonNode tool(JsonNode node, String path) {
    new JsonFields(node, path);
    return node;
  }

  private static void checkVariable(String name, String path) {
    if (!VARIABLE.matcher(name).matches()) {
      throw new InvalidRequestException(
          path, path + " is no name of a variable; use letters, digits and underscores");
    } else if (name.equals("messages") || name.equals("tools")) {
      throw new InvalidRequestException(
          path, "%s: '%s' is a field of the prompt; give it there".formatted(path, name));
    }
  }

  private static String json(JsonNode node, String path, int maxChars) {
    return JsonFields.checkText(node.toString(), path, maxChars);
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
    ObjectNode fields = JsonNodeFactory.instance.objectNode();
    for (String name : MESSAGE_FIELDS) {
      if (in.get(name) != null) {
        fields.set(name, in.get(name));
      }
    }
    JsonNode content = in.get("content");
    if (content == null && !fields.has("tool_calls")) {
      throw new InvalidRequestException(
          in.path("content"),
          in.path("content") + " is missing; only a message with tool_calls may leave it out");
    } else if (content == null || content.isArray()) {
      fields.set("content", content);
    }
    in.refuseOthers();
    return ChatMessage.newBuilder()
        .setRole(role)
        .setContent(
            fields.has("content") ? "" : JsonFields.text(content, in.path("content"), maxChars))
        .setFields(fields.isEmpty() ? null : json(fields, path, maxChars))
        .build();
  }

  private static <T> List<T> notEmpty(List<T> list, String path) {
    if (list.isEmpty()) {
      throw new InvalidRequestException(path, path + " is empty; a prompt needs at least one");
    }
    return list;
  }
}
