package io.lensflow.steering.items;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.steering.vector.RefusedException;
import io.lensflow.testkit.SharedData;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ItemRendererTest {
  private Tokenizer tokenizer;

  @BeforeEach
  void load() throws IOException {
    tokenizer = Tokenizer.load(SharedData.folder("models/smollm2-135m-instruct"));
  }

  @AfterEach
  void close() {
    if (tokenizer != null) {
      tokenizer.close();
    }
  }

  private static ContrastiveItem item(String question, String matching, String other) {
    return new ContrastiveItem(0, 1, question, matching, other);
  }

  @Test
  void shouldRenderChatWithTheBracketInThePrefix() throws Exception {
    ItemRenderer renderer = new ItemRenderer(tokenizer, PromptFormat.CHAT);

    ItemPair pair = renderer.pair(item("Well?\n (A) no\n (B) yes", " (B)", " (A)"));

    assertThat(tokenizer.decode(pair.prefix()))
        .startsWith("<|im_start|>system")
        .endsWith("<|im_start|>user\nWell?\n (A) no\n (B) yes<|im_end|>\n<|im_start|>assistant\n(");
    assertThat(tokenizer.decode(pair.matchingToken())).isEqualTo("B");
    assertThat(tokenizer.decode(pair.otherToken())).isEqualTo("A");
    assertThat(tokenizer.decode(pair.matchingToAnswer())).endsWith("\n(B");
    assertThat(tokenizer.decode(pair.otherToAnswer())).endsWith("\n(A");
  }

  @Test
  void shouldRenderPlainWithTheAnswerAsItStands() throws Exception {
    ItemRenderer renderer = new ItemRenderer(tokenizer, PromptFormat.PLAIN);

    ItemPair pair = renderer.pair(item("Is it so?", " Yes", " No"));

    assertThat(tokenizer.decode(pair.prefix())).isEqualTo("Is it so?\n\nAnswer:");
    assertThat(tokenizer.decode(pair.matchingToken())).isEqualTo(" Yes");
    assertThat(tokenizer.decode(pair.otherToken())).isEqualTo(" No");
  }

  @Test
  void shouldFindTheAnswerWhereTheTokenizerMergesAcrossTheSeam() throws Exception {
    ItemRenderer renderer = new ItemRenderer(tokenizer, PromptFormat.PLAIN);
    int[] prompt = renderer.promptIds("Well");

    // "Answer:" + "//x" and "://y": the colon is no token of its own any more.
    ItemPair merged = renderer.pair(item("Well", "//x", "//y"));
    assertThat(merged.matching()[prompt.length - 1]).isNotEqualTo(prompt[prompt.length - 1]);
    assertThat(tokenizer.decode(merged.prefix())).isEqualTo("Well\n\nAnswer://");
    assertThat(tokenizer.decode(merged.matchingToken(), merged.otherToken())).isEqualTo("xy");

    // One text merges and the other does not: they part before the prompt's end.
    ItemPair torn = renderer.pair(item("Well", "//x", " y"));
    assertThat(torn.answerPosition()).isEqualTo(prompt.length - 1);
    assertThat(tokenizer.decode(torn.matchingToken())).startsWith("://");
    assertThat(tokenizer.decode(torn.otherToken())).isEqualTo(":");
  }

  @Test
  void shouldPinWhatATemplateCouldReadFromElsewhere(@TempDir Path folder) throws IOException {
    Path model = SharedData.folder("models/smollm2-135m-instruct");
    Files.copy(model.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"chat_template": "{{ strftime_now('%d %b %Y') }} {{ enable_thinking }} \
        {{ messages[0]['content'] }} {{ add_generation_prompt }}"}""");

    try (Tokenizer dated = Tokenizer.load(folder)) {
      assertThat(new ItemRenderer(dated, PromptFormat.CHAT).prompt("Q"))
          .isEqualTo("26 Jul 2024 False Q True");
    }
  }

  @Test
  void shouldSkipAndCountWhatHasNoPositionToCompareAt() {
    String lines =
        """
        {"question": "a", "answer_matching_behavior": " (A)", "answer_not_matching_behavior": "(A)"}
        {"question": "a", "answer_matching_behavior": " Yes", "answer_not_matching_behavior": " Yes, I do"}
        broken
        {"question": "a\\n (A) x\\n (B) y\\n (C) z", "answer_matching_behavior": " (C)", "answer_not_matching_behavior": " (A)"}
        {"question": "%s", "answer_matching_behavior": " (C)", "answer_not_matching_behavior": " (A)"}
        """
            .formatted("long ".repeat(200));
    DataSet data = DataSet.read("mine", lines.getBytes(StandardCharsets.UTF_8));
    ItemRenderer renderer = new ItemRenderer(tokenizer, PromptFormat.CHAT);

    ItemPairs pairs = ItemPairs.of("train", data, List.of(0, 1, 2, 3, 4), renderer, 100);

    assertThat(pairs.pairs()).extracting(pair -> pair.item().number()).containsExactly(3);
    assertThat(pairs.moreThanTwoChoices()).isEqualTo(1);
    assertThat(pairs.skipped()).extracting(SkippedLine::line).containsExactly(1, 2, 3, 5);
    assertThat(pairs.skipped().get(0).reason()).isEqualTo("its two texts never differ");
    assertThat(pairs.skipped().get(1).reason()).startsWith("one answer is only the beginning");
    assertThat(pairs.skipped().get(2).reason()).startsWith("not JSON");
    assertThat(pairs.skipped().get(3).reason()).endsWith("but the model's context has 100");
    assertThatThrownBy(() -> ItemPairs.of("train", data, List.of(0, 2), renderer, 100))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith("train: none of the 2 items can be used; line 1: its two texts");
  }

  @Test
  void shouldFindALetterOrYesAndNoInEverySharedItem() throws IOException {
    Path folder = SharedData.folder("datasets");
    for (String name : List.of("corrigible-neutral-HHH", "interest-in-science")) {
      DataSet data = DataSet.read(name, Files.readAllBytes(folder.resolve(name + ".jsonl")));
      for (PromptFormat format : PromptFormat.values()) {
        ItemRenderer renderer = new ItemRenderer(tokenizer, format);
        List<Integer> some = ItemRange.resolve("test", "0-79,200-239", data.size());

        ItemPairs pairs = ItemPairs.of("test", data, some, renderer, 8192);

        assertThat(pairs.skipped()).isEmpty();
        assertThat(pairs.pairs())
            .hasSize(120)
            .allSatisfy(
                pair ->
                    assertThat(pair.item().matching())
                        .contains(tokenizer.decode(pair.matchingToken()).strip()))
            .extracting(pair -> tokenizer.decode(pair.matchingToken()).strip())
            .containsOnly(
                name.startsWith("corrigible")
                    ? new String[] {"A", "B"}
                    : new String[] {"Yes", "No"});
      }
    }
  }
}
