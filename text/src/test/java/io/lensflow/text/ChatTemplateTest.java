package io.lensflow.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChatTemplateTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void shouldRenderAsTransformersDoesOnGoldens() throws IOException {
    ChatTemplate template = ChatTemplate.load(SharedData.folder("models/smollm2-135m-instruct"));
    JsonNode golden =
        JSON.readTree(
            SharedData.folder("fixtures/smollm2-135m-instruct")
                .resolve("golden-chat.json")
                .toFile());
    for (JsonNode testCase : golden.get("template_cases")) {
      assertThat(
              template.render(
                  JSON.convertValue(
                      testCase.get("messages"), new TypeReference<List<Map<String, Object>>>() {}),
                  testCase.get("add_generation_prompt").booleanValue(),
                  JSON.convertValue(
                      testCase.get("variables"), new TypeReference<Map<String, Object>>() {})))
          .isEqualTo(testCase.get("text").textValue());
    }
  }

  @Test
  void shouldNotRunTemplateCodeInsideMessages() {
    ChatTemplate template = new ChatTemplate("{{ messages[0].content }}", Map.of());
    String hostile = "{{ 6 * 7 }}{% for x in messages %}!{% endfor %}";
    assertThat(template.render(List.of(new ChatMessage("user", hostile)), Map.of()))
        .isEqualTo(hostile);
  }

  @Test
  void shouldSayWhatTheTemplateSaysWhenItRefuses() {
    ChatTemplate template =
        new ChatTemplate("{{ raise_exception('roles must alternate') }}", Map.of());
    assertThatThrownBy(() -> template.render(List.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("roles must alternate");
  }

  @Test
  void shouldOfferSpecialTokensToTheTemplate() {
    ChatTemplate template =
        new ChatTemplate("{{ bos_token }}{{ messages[0]['role'] }}", Map.of("bos_token", "<s>"));
    assertThat(template.render(List.of(new ChatMessage("user", "x")), Map.of()))
        .isEqualTo("<s>user");
  }
}
