package io.lensflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Conversations rendered and texts tokenised by transformers, for whole models' tokenizers. */
class ChatGoldensTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @ParameterizedTest
  @CsvSource({
    "models/smollm2-135m-instruct, fixtures/smollm2-135m-instruct",
    "fixtures/qwen3-tokenizer, fixtures/qwen3-tokenizer"
  })
  void shouldRenderAndTokeniseAsTransformersDoes(String model, String goldens) throws IOException {
    JsonNode golden =
        JSON.readTree(SharedData.folder(goldens).resolve("golden-chat.json").toFile());
    try (Tokenizer tokenizer = Tokenizer.load(SharedData.folder(model))) {
      assertThat(golden.get("template_cases")).isNotEmpty();
      for (JsonNode testCase : golden.get("template_cases")) {
        String text = render(tokenizer.chatTemplate(), testCase);
        assertThat(text).isEqualTo(testCase.get("text").textValue());
        assertThat(tokenizer.encodeRendered(text)).as(text).isEqualTo(ints(testCase.get("ids")));
      }
    }
  }

  private static String render(ChatTemplate template, JsonNode testCase) {
    Map<String, Object> variables =
        new HashMap<>(
            JSON.convertValue(
                testCase.get("variables"), new TypeReference<Map<String, Object>>() {}));
    variables.put("add_generation_prompt", testCase.get("add_generation_prompt").booleanValue());
    List<Map<String, Object>> tools =
        JSON.convertValue(
            variables.remove("tools"), new TypeReference<List<Map<String, Object>>>() {});
    return template.render(messages(testCase.get("messages")), tools, variables);
  }

  private static List<ChatMessage> messages(JsonNode messages) {
    return JSON.convertValue(messages, new TypeReference<List<Map<String, Object>>>() {}).stream()
        .map(
            fields -> {
              assertThat(fields.keySet())
                  .as("keys in the order that a message has")
                  .startsWith("role");
              return new ChatMessage((String) fields.get("role"), "", fields);
            })
        .toList();
  }

  private static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).intValue()).toArray();
  }
}
