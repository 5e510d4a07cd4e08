package io.lensflow.hub;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Which files of a model are wanted. Pickled weights never are: reading them runs what they hold.
 */
public enum ModelFiles {
  /** What runs a model: configuration, tokenizer, chat template, safetensors weights. */
  ALL,

  /** What turns text into token ids and back; no weights. */
  TOKENIZER;

  static final String CONFIG = "config.json";
  static final String TOKENIZER_JSON = "tokenizer.json";
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  private static final Pattern NAMED_TEMPLATE =
      Pattern.compile("additional_chat_templates/[^/]+\\.jinja");

  private static final List<String> TOKENIZER_OPTIONAL =
      List.of(
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "chat_template.jinja",
          "chat_template.json");

  /** Files without which the model is of no use; weights are looked at by themselves. */
  List<String> required() {
    return this == ALL ? List.of(CONFIG, TOKENIZER_JSON) : List.of(TOKENIZER_JSON);
  }

  /** Files that not every model has. */
  List<String> optional() {
    return this == ALL
        ? Stream.concat(Stream.of("generation_config.json"), TOKENIZER_OPTIONAL.stream()).toList()
        : TOKENIZER_OPTIONAL;
  }

  /** Whether it is one of the named chat templates beside the usual one, of which there are any. */
  static boolean isNamedTemplate(String file) {
    return NAMED_TEMPLATE.matcher(file).matches();
  }

  boolean withWeights() {
    return this == ALL;
  }
}
