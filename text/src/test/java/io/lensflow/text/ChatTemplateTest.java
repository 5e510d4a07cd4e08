package io.lensflow.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChatTemplateTest {
  private static ChatTemplate template(String source) {
    return template(source, Map.of());
  }

  private static ChatTemplate template(String source, Map<String, Object> specialTokens) {
    return new ChatTemplate(Map.of("default", source), specialTokens);
  }

  @Test
  void shouldNotRunTemplateCodeInsideMessages() {
    ChatTemplate template = template("{{ messages[0].content }}");
    String hostile = "{{ 6 * 7 }}{% for x in messages %}!{% endfor %}";
    assertThat(template.render(List.of(new ChatMessage("user", hostile)), Map.of()))
        .isEqualTo(hostile);
  }

  @Test
  void shouldSayWhatTheTemplateSaysWhenItRefuses() {
    ChatTemplate template =
        template("{{ raise_exception('roles must alternate') }}");
    assertThatThrownBy(() -> template.render(List.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("roles must alternate");
  }

  @Test
  void shouldOfferSpecialTokensToTheTemplate() {
    ChatTemplate template =
        template("{{ bos_token }}{{ messages[0]['role'] }}", Map.of("bos_token", "<s>"));
    assertThat(template.render(List.of(new ChatMessage("user", "x")), Map.of()))
        .isEqualTo("<s>user");
  }
}
