package io.lensflow.worker.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lensflow.records.ChatMessage;
import io.lensflow.records.Prompt;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatPromptsTest {
  private static final String TOKENIZER =
      """
      {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
       "post_processor": null, "decoder": null,
       "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}
      """;

  @TempDir Path folder;

  @Test
  void shouldGiveTheTemplateAllThatThePromptHolds() throws Exception {
    Prompt prompt =
        prompt(
            new ChatMessage("user", "hi", null),
            new ChatMessage(
                "assistant", "", "{\"content\": null, \"tool_calls\": [{\"n\": 1.0}]}"));
    prompt.setTools("[{\"z\": 1, \"a\": 2}]");
    prompt.setTemplateVariables("{\"enable_thinking\": false}");
    assertThat(render("{{ messages }}{{ tools|tojson }}{{ enable_thinking }}", prompt))
        .isEqualTo(
            "[{'role': 'user', 'content': 'hi'}, {'role': 'assistant', 'tool_calls': [{'n': 1.0}]}]"
                + "[{\"z\": 1, \"a\": 2}]False");
  }

  @Test
  void shouldNameTheFieldWhenItsJsonIsWrong() {
    Prompt prompt = prompt(new ChatMessage("user", "hi", null));
    prompt.setTools("{}");
    assertThat(failure("x", prompt)).hasMessageContaining("the JSON text of an array");
    assertThat(failure("x", prompt).failure().getField()).isEqualTo("prompt.tools");
    prompt.setTools(null);
    prompt.setTemplateVariables("{");
    assertThat(failure("x", prompt).failure().getField()).isEqualTo("prompt.templateVariables");
    assertThat(failure("x", prompt(new ChatMessage("user", "hi", "[]"))).failure().getField())
        .isEqualTo("prompt.messages[0].fields");
    assertThat(failure("x", prompt(new ChatMessage(" ", "hi", null))).failure().getField())
        .isEqualTo("prompt.messages[0].role");
  }

  @Test
  void shouldSayWhatTheTemplateSays() {
    Prompt prompt = prompt(new ChatMessage("user", "hi", null));
    InvalidRequestException refused = failure("{{ raise_exception('No!') }}", prompt);
    assertThat(refused).hasMessage("the chat template refuses these messages: No!");
    assertThat(refused.failure().getField()).isEqualTo("prompt.messages");
  }

  private InvalidRequestException failure(String template, Prompt prompt) {
    return catchThrowableOfType(InvalidRequestException.class, () -> render(template, prompt));
  }

  private static Prompt prompt(ChatMessage... messages) {
    return Prompt.newBuilder().setMessages(List.of(messages)).build();
  }

  private String render(String template, Prompt prompt)
      throws IOException, InvalidRequestException {
    Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
    Files.writeString(folder.resolve("chat_template.jinja"), template);
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      return new ChatPrompts(tokenizer).render(prompt);
    }
  }
}
