package io.lensflow.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
  private static final List<ChatMessage> HELLO = List.of(new ChatMessage("user", "hello"));
  private static final List<Map<String, Object>> TOOLS =
      List.of(Map.of("type", "function", "function", Map.of("name", "f")));

  @TempDir Path folder;

  @Test
  void shouldNotRunTemplateCodeInsideMessages() {
    String hostile = "{{ 6 * 7 }}{% for x in messages %}!{% endfor %}";
    assertThat(
            template("{{ messages[0].content }}")
                .render(List.of(new ChatMessage("user", hostile)), Map.of()))
        .isEqualTo(hostile);
  }

  @Test
  void shouldSayWhatTheTemplateSaysWhenItRefuses() {
    ChatTemplate template = template("{{ raise_exception('roles must alternate') }}");
    assertThatThrownBy(() -> template.render(HELLO, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the chat template refuses these messages: roles must alternate");
  }

  @Test
  void shouldNameTheConstructAndTheLineWhenATemplateCannotBeRendered() {
    assertThatThrownBy(() -> template("a\n{% include 'x' %}").render(HELLO, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the chat template cannot be rendered: the tag 'include' is not supported in chat"
                + " templates here (line 2 of the template)");
    assertThatThrownBy(() -> template("\n\n{{ messages[0].nope.x }}").render(HELLO, Map.of()))
        .hasMessageContaining("'dict object' has no attribute 'nope' (line 3 of the template)");
  }

  @Test
  void shouldGiveTemplatesWhatTransformersGives() {
    ChatTemplate template =
        new ChatTemplate(
            Map.of(
                "default",
                "{{ bos_token }}{{ tools is none }}{{ documents is none }}{{ add_generation_prompt }}"
                    + "{{ enable_thinking }}{{ eos_token is defined }} {{ strftime_now('%d %b %Y') }}"),
            Map.of("bos_token", "<s>"),
            Clock.fixed(Instant.parse("2026-03-07T12:00:00Z"), ZoneOffset.UTC));
    assertThat(template.render(HELLO, Map.of("enable_thinking", false)))
        .isEqualTo("<s>TrueTrueTrueFalseFalse 07 Mar 2026");
    assertThat(
            template.render(HELLO, TOOLS, Map.of("bos_token", "B", "add_generation_prompt", false)))
        .isEqualTo("BFalseTrueFalseFalse 07 Mar 2026");
  }

  @Test
  void shouldLeaveNullFieldsOutOfMessages() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("tool_calls", null);
    fields.put("name", "n");
    ChatMessage message = new ChatMessage("assistant", null, fields);
    assertThat(template("{{ messages[0] }}").render(List.of(message), Map.of()))
        .isEqualTo("{'role': 'assistant', 'name': 'n'}");
  }

  @Test
  void shouldOfferReasoningUnderAllItsNames() {
    ChatMessage message = new ChatMessage("assistant", "a", Map.of("reasoning", "hm"));
    assertThat(template("{{ messages[0] }}").render(List.of(message), Map.of()))
        .isEqualTo(
            "{'thinking': 'hm', 'role': 'assistant', 'content': 'a', 'reasoning': 'hm',"
                + " 'reasoning_content': 'hm'}");
  }

  @Test
  void shouldRefuseVariablesThatHaveFieldsOfTheirOwn() {
    assertThatThrownBy(() -> template("x").render(HELLO, Map.of("tools", List.of())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'tools' has a field of its own");
  }

  @Test
  void shouldUseTheNamedTemplateForToolsWhenThereIsOne() throws IOException {
    write(
        "tokenizer_config.json",
        """
        {"eos_token": {"content": "</s>"}, "bos_token": null,
         "chat_template": [{"name": "default", "template": "plain{{ eos_token }}"},
                           {"name": "tool_use", "template": "tools {{ tools|length }}"}]}
        """);
    ChatTemplate template = ChatTemplate.load(folder);
    assertThat(template.render(HELLO, Map.of())).isEqualTo("plain</s>");
    assertThat(template.render(HELLO, TOOLS, Map.of())).isEqualTo("tools 1");
  }

  @Test
  void shouldPreferTemplateFilesToTheConfiguration() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": \"old\", \"bos_token\": \"<s>\"}");
    write("chat_template.json", "{\"chat_template\": \"older\"}");
    assertThat(ChatTemplate.load(folder).render(HELLO, Map.of())).isEqualTo("old");
    write("chat_template.jinja", "new{{ bos_token }}");
    write("additional_chat_templates/tool_use.jinja", "with tools");
    ChatTemplate template = ChatTemplate.load(folder);
    assertThat(template.render(HELLO, Map.of())).isEqualTo("new<s>");
    assertThat(template.render(HELLO, TOOLS, Map.of())).isEqualTo("with tools");
  }

  @Test
  void shouldReadTheOlderFilesWhenThereIsNothingElse() throws IOException {
    assertThat(ChatTemplate.load(folder)).isNull();
    write("chat_template.json", "{\"chat_template\": \"older{{ eos_token }}\"}");
    write("special_tokens_map.json", "{\"eos_token\": {\"content\": \"<|end|>\"}}");
    assertThat(ChatTemplate.load(folder).render(HELLO, Map.of())).isEqualTo("older<|end|>");
  }

  @Test
  void shouldNameTheTemplatesThereAreWhenThereIsNoDefault() throws IOException {
    write("additional_chat_templates/rag.jinja", "x");
    ChatTemplate template = ChatTemplate.load(folder);
    assertThatThrownBy(() -> template.render(HELLO, Map.of()))
        .hasMessageContaining("no chat template named 'default', only [rag]");
  }

  @Test
  void shouldNameTheFileWhenItIsBroken() throws IOException {
    write("tokenizer_config.json", "{");
    assertThatThrownBy(() -> ChatTemplate.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("tokenizer_config.json cannot be read");
    write("tokenizer_config.json", "{\"chat_template\": [1]}");
    assertThatThrownBy(() -> ChatTemplate.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("chat_template must be a string, or a list");
  }

  @Test
  void shouldStopATemplateThatRunsOrGrowsWithoutEnd() {
    List<String> hostile =
        Arrays.asList(
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(99) %}"
                + "{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
            "{{ 'a' * 9999999999 }}",
            "{{ 9 ** 999999 }}",
            "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}");
    for (String source : hostile) {
      assertThatThrownBy(() -> template(source).render(HELLO, Map.of()))
          .as(source.substring(0, 16))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the chat template cannot be rendered");
    }
  }

  private static ChatTemplate template(String source) {
    return new ChatTemplate(Map.of("default", source), Map.of());
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void shouldTakeJsonOfAnyOrderAsItIs() throws IOException {
    Map<?, ?> tool =
        new ObjectMapper().readValue("{\"b\": 1, \"a\": {\"z\": 2.0, \"y\": []}}", Map.class);
    @SuppressWarnings("unchecked")
    List<Map<String, Object>> tools = List.of((Map<String, Object>) tool);
    assertThat(template("{{ tools[0] | tojson }}").render(HELLO, tools, Map.of()))
        .isEqualTo("{\"b\": 1, \"a\": {\"z\": 2.0, \"y\": []}}");
  }
}
