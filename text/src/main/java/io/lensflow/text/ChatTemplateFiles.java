package io.lensflow.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Finds a checkpoint's chat templates and special tokens where transformers finds them.
 *
 * <p>Templates: {@code chat_template.jinja} and {@code additional_chat_templates/NAME.jinja} if
 * either is there, else {@code chat_template} of {@code tokenizer_config.json} (one string, or a
 * list of named ones), else that of {@code chat_template.json}, which older processors have.
 */
final class ChatTemplateFiles {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SUFFIX = ".jinja";
  private static final List<String> SPECIAL_TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private final Path folder;

  ChatTemplateFiles(Path folder) {
    this.folder = folder;
  }

  /**
   * Reads the files.
   *
   * @return null if there is no template
   * @throws IOException if a file cannot be read; the message names it
   */
  ChatTemplate read() throws IOException {
    JsonNode config = json("tokenizer_config.json");
    Map<String, String> sources = templateFiles();
    if (sources.isEmpty()) {
      sources = named(config.get("chat_template"), "tokenizer_config.json");
    }
    if (sources.isEmpty()) {
      sources = named(json("chat_template.json").get("chat_template"), "chat_template.json");
    }
    return sources.isEmpty() ? null : new ChatTemplate(sources, specialTokens(config));
  }

  private Map<String, String> templateFiles() throws IOException {
    Map<String, String> sources = new LinkedHashMap<>();
    Path main = folder.resolve("chat_template" + SUFFIX);
    if (Files.isRegularFile(main)) {
      sources.put(ChatTemplate.DEFAULT, Files.readString(main));
    }
    Path additional = folder.resolve("additional_chat_templates");
    if (Files.isDirectory(additional)) {
      Map<String, String> sorted = new TreeMap<>();
      try (Stream<Path> files = Files.list(additional)) {
        for (Path file : files.toList()) {
          String name = file.getFileName().toString();
          if (name.endsWith(SUFFIX)) {
            sorted.put(name.substring(0, name.length() - SUFFIX.length()), Files.readString(file));
          }
        }
      }
      sources.putAll(sorted);
    }
    return sources;
  }

  private static Map<String, String> named(JsonNode template, String file) throws IOException {
    Map<String, String> sources = new LinkedHashMap<>();
    if (template == null || template.isNull()) {
      return sources;
    }
    if (template.isTextual()) {
      sources.put(ChatTemplate.DEFAULT, template.textValue());
      return sources;
    }
    for (JsonNode one : template) {
      if (!one.path("name").isTextual() || !one.path("template").isTextual()) {
        throw new IOException(
            file + ": chat_template must be a string, or a list of {\"name\", \"template\"}");
      }
      sources.put(one.path("name").textValue(), one.path("template").textValue());
    }
    return sources;
  }

  /** The older file of special tokens counts only beside an older configuration. */
  private Map<String, String> specialTokens(JsonNode config) throws IOException {
    JsonNode older =
        config.has("added_tokens_decoder")
            ? JSON.createObjectNode()
            : json("special_tokens_map.json");
    Map<String, String> tokens = new LinkedHashMap<>();
    for (String name : SPECIAL_TOKENS) {
      String token = token(config.hasNonNull(name) ? config.get(name) : older.path(name));
      if (token != null) {
        tokens.put(name, token);
      }
    }
    return tokens;
  }

  /** A token's text, written plainly or as an object with further settings. */
  private static String token(JsonNode token) {
    return token.isObject() ? token.path("content").textValue() : token.textValue();
  }

  private JsonNode json(String name) throws IOException {
    Path file = folder.resolve(name);
    if (!Files.isRegularFile(file)) {
      return JSON.createObjectNode();
    }
    try {
      return JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw new IOException(file.toAbsolutePath() + " cannot be read: " + e.getMessage(), e);
    }
  }
}
