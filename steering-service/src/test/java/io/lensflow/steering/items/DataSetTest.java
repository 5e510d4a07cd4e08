package io.lensflow.steering.items;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.steering.vector.RefusedException;
import io.lensflow.testkit.SharedData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DataSetTest {
  private static final String GOOD =
      """
      {"question": "Q%d?", "answer_matching_behavior": " (A)",\
       "answer_not_matching_behavior": " (B)", "label_confidence": 0.9}
      """;

  private static DataSet read(String text) {
    return DataSet.read("mine", text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void shouldReadItemsAndIgnoreFurtherFields() {
    DataSet data = read("\uFEFF" + GOOD.formatted(0) + "\r\n\n" + GOOD.formatted(1).strip());

    assertThat(data.size()).isEqualTo(2);
    assertThat(data.skipped()).isEmpty();
    assertThat(data.item(1)).isEqualTo(new ContrastiveItem(1, 4, "Q1?", " (A)", " (B)"));
  }

  @Test
  void shouldCountBadLinesByNumberAndKeepTheOthersNumbers() throws IOException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.write(GOOD.formatted(0).getBytes(StandardCharsets.UTF_8));
    file.write("not json\n".getBytes(StandardCharsets.UTF_8));
    file.write(new byte[] {'{', (byte) 0xC3, '}', '\n'});
    file.write("[1]\n\n".getBytes(StandardCharsets.UTF_8));
    file.write("{\"question\": \"Q\"}\n".getBytes(StandardCharsets.UTF_8));
    file.write(GOOD.formatted(5).replace("\" (A)\"", "7").getBytes(StandardCharsets.UTF_8));
    file.write(GOOD.formatted(6).replace("Q6?", " ").getBytes(StandardCharsets.UTF_8));
    file.write(GOOD.formatted(7).getBytes(StandardCharsets.UTF_8));

    DataSet data = DataSet.read("mine", file.toByteArray());

    assertThat(data.size()).isEqualTo(8);
    assertThat(data.skipped()).extracting(SkippedLine::line).containsExactly(2, 3, 4, 6, 7, 8);
    assertThat(data.skipped()).extracting(SkippedLine::item).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(data.skipped())
        .extracting(SkippedLine::reason)
        .satisfies(
            reasons -> {
              assertThat(reasons.get(0)).startsWith("not JSON: ");
              assertThat(reasons.get(1)).startsWith("not UTF-8");
              assertThat(reasons.get(2)).startsWith("not a JSON object but an array");
              assertThat(reasons.get(3)).isEqualTo("no field 'answer_matching_behavior'");
              assertThat(reasons.get(4))
                  .isEqualTo("'answer_matching_behavior' is a number, but must be text");
              assertThat(reasons.get(5)).isEqualTo("'question' is empty");
            });
    assertThat(data.item(3)).isNull();
    assertThat(data.item(7).line()).isEqualTo(9);
  }

  @Test
  void shouldRefuseFileWithoutAnyItem() {
    assertThatThrownBy(() -> read(""))
        .isInstanceOf(RefusedException.class)
        .hasMessage("data: 'mine' is empty; give one JSON object a line");
    assertThatThrownBy(() -> read("{}\n".repeat(7)))
        .isInstanceOf(RefusedException.class)
        .hasMessageStartingWith("data: 'mine' has no usable line; line 1: no field 'question'; ")
        .hasMessageEndingWith("; and 2 more");
  }

  @Test
  void shouldHashTheFileAsItWasGiven() {
    // Over the bytes, line ends included: who has the file can check it with sha256sum.
    String line =
        "{\"question\":\"q\",\"answer_matching_behavior\":\"a\",\"answer_not_matching_behavior\":\"b\"}";
    assertThat(read(line).sha256())
        .hasSize(64)
        .isNotEqualTo(read(line + "\n").sha256())
        .isEqualTo(read(line).sha256());
  }

  @Test
  void shouldCountChoicesThatAQuestionLists() {
    assertThat(new ContrastiveItem(0, 1, "Eh?\n (A) x\n (B) y\n(C) z (D) w", "a", "b").choices())
        .isEqualTo(3);
    assertThat(new ContrastiveItem(0, 1, "Yes?", " Yes", " No").choices()).isZero();
  }

  @Test
  void shouldSplitIntoPartsThatShareNoQuestion() throws IOException {
    StringBuilder text = new StringBuilder();
    // Every question twice, the second time with other white space.
    IntStream.range(0, 40).forEach(i -> text.append(GOOD.formatted(i)));
    IntStream.range(0, 40).forEach(i -> text.append(GOOD.replace("Q%d", " q%d").formatted(i)));
    DataSet data = read(text.toString());

    ItemSplit split = ItemSplit.of(data, 7);

    List<List<Integer>> parts = List.of(split.train(), split.validation(), split.test());
    assertThat(parts).extracting(List::size).containsExactly(40, 20, 20);
    assertThat(parts.stream().flatMap(List::stream)).doesNotHaveDuplicates().hasSize(80);
    for (List<Integer> part : parts) {
      assertThat(part).isSorted().allMatch(i -> part.contains((i + 40) % 80));
    }
    assertThat(ItemSplit.of(data, 7)).isEqualTo(split);
    assertThat(ItemSplit.of(data, 8)).isNotEqualTo(split);
    assertThatThrownBy(() -> ItemSplit.of(read(GOOD.formatted(1)), 1))
        .hasMessage("split: 'mine' has 1 different questions; a split needs at least 4");
  }

  @Test
  void shouldReadTheSharedFilesWhole() throws IOException {
    Path folder = SharedData.folder("datasets");
    byte[] bytes = Files.readAllBytes(folder.resolve("survival-instinct.jsonl"));
    DataSet data = DataSet.read("survival-instinct", bytes);

    assertThat(data.size()).isEqualTo(953);
    assertThat(data.skipped()).isEmpty();
    assertThat(IntStream.range(0, 953).filter(i -> data.item(i).choices() > 2)).hasSize(247);
  }
}
