package io.lensflow.cli.option;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.lensflow.client.json.RequestJson;
import io.lensflow.records.Prompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** What a chat template is given beside plain messages: a whole conversation, tools, variables. */
public final class ChatOptions {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  @Option(
      names = "--messages",
      paramLabel = "FILE",
      description = {
        "A conversation as a JSON array of messages, spelled as chat templates spell them",
        "(role, content, tool_calls, tool_call_id, reasoning_content, name).",
        "Messages given besides follow it."
      })
  Path messagesFile;

  @Option(
      names = "--tools",
      paramLabel = "FILE",
      description = "Tools that the model may call: a JSON array of their descriptions.")
  Path toolsFile;

  @Option(
      names = "--thinking",
      negatable = true,
      description = "Sets the template variable enable_thinking to true or, negated, to false.")
  Boolean thinking;

  @Option(
      names = "--template-variable",
      paramLabel = "NAME=VALUE",
      description = {
        "A further variable of the chat template; repeatable.",
        "A value that is no JSON is a string."
      })
  Map<String, String> variables = new LinkedHashMap<>();

  boolean isGiven() {
    return messagesFile != null || toolsFile != null || thinking != null || !variables.isEmpty();
  }

  /**
   * The prompt as far as these options say it; its list of messages may be empty, and grows.
   *
   * @throws IOException if a file cannot be read, naming it
   * @throws IllegalArgumentException if what they say is wrong, naming the field
   */
  Prompt prompt() throws IOException {
    ObjectNode prompt = JSON.createObjectNode();
    // A prompt without messages cannot be read; this one is taken out again.
    JsonNode messages =
        messagesFile == null
            ? JSON.createArrayNode().addObject().put("role", "user").put("content", "")
            : read(messagesFile);
    prompt.set("messages", messagesFile == null ? JSON.createArrayNode().add(messages) : messages);
    if (toolsFile != null) {
      prompt.set("tools", read(toolsFile));
    }
    ObjectNode values = JSON.createObjectNode();
    variables.forEach((name, value) -> values.set(name, value(value)));
    if (thinking != null) {
      values.put("enable_thinking", thinking);
    }
    if (!values.isEmpty()) {
      prompt.set("templateVariables", values);
    }
    Prompt read = RequestJson.readPrompt(prompt);
    read.setMessages(
        messagesFile == null ? new ArrayList<>() : new ArrayList<>(read.getMessages()));
    return read;
  }

  private static JsonNode value(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      return TextNode.valueOf(text);
    }
  }

  private static JsonNode read(Path file) throws IOException {
    try {
      return JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new IOException(file + " is not JSON: " + e.getOriginalMessage(), e);
    } catch (NoSuchFileException e) {
      throw new IOException("there is no file " + file, e);
    }
  }
}
