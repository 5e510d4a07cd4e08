package io.lensflow.steering.items;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads one line of contrastive data. Thread-safe. */
final class LineReader {
  static final String QUESTION = "question";
  static final String MATCHING = "answer_matching_behavior";
  static final String OTHER = "answer_not_matching_behavior";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private LineReader() {}

  /** Why a line is no item. */
  static final class BadLine extends Exception {
    private static final long serialVersionUID = 1L;

    BadLine(String reason) {
      super(reason, null, false, false);
    }
  }

  /** The text of a line's bytes; a decoder of its own, since a broken byte must not pass as �. */
  static String text(ByteBuffer bytes) throws BadLine {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new BadLine("not UTF-8; save the file in that encoding");
    }
  }

  static ContrastiveItem item(int number, int line, String text) throws BadLine {
    JsonNode node;
    try {
      node = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new BadLine("not JSON: " + e.getOriginalMessage());
    }
    if (!node.isObject()) {
      throw new BadLine("not a JSON object but " + article(node) + "; one object a line is needed");
    }
    return new ContrastiveItem(
        number, line, field(node, QUESTION), field(node, MATCHING), field(node, OTHER));
  }

  private static String field(JsonNode node, String name) throws BadLine {
    JsonNode value = node.get(name);
    if (value == null) {
      throw new BadLine("no field '%s'".formatted(name));
    }
    if (!value.isTextual()) {
      throw new BadLine("'%s' is %s, but must be text".formatted(name, article(value)));
    }
    if (value.textValue().isBlank()) {
      throw new BadLine("'%s' is empty".formatted(name));
    }
    return value.textValue();
  }

  private static String article(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      case NULL -> "null";
      case NUMBER -> "a number";
      case BOOLEAN -> "a boolean";
      case STRING -> "a text";
      default -> "nothing";
    };
  }
}
