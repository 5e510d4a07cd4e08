package io.lensflow.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizerTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @ParameterizedTest
  @CsvSource({
    "models/smollm2-135m-instruct, fixtures/smollm2-135m-instruct",
    "fixtures/qwen3-tokenizer, fixtures/qwen3-tokenizer"
  })
  void shouldAgreeWithTransformersOnIdsAndStreamedText(String model, String goldens)
      throws IOException {
    JsonNode golden =
        JSON.readTree(SharedData.folder(goldens).resolve("golden-chat.json").toFile());
    try (Tokenizer tokenizer = Tokenizer.load(SharedData.folder(model))) {
      for (JsonNode testCase : golden.get("tokenizer_cases")) {
        String text = testCase.get("text").textValue();
        int[] ids = ints(testCase.get("ids"));
        assertThat(tokenizer.encodeRendered(text)).as(text).isEqualTo(ids);
        assertThat(tokenizer.encode(text)).as(text).isEqualTo(ints(testCase.get("with_special")));
        assertThat(tokenizer.decode(ids)).as(text).isEqualTo(testCase.get("decoded").textValue());

        StreamingDetokenizer stream = tokenizer.streaming();
        StringBuilder joined = new StringBuilder();
        for (int id : ids) {
          String piece = stream.append(id);
          assertThat(piece).as("piece of %s", text).doesNotEndWith("\uFFFD");
          joined.append(piece);
        }
        assertThat(joined.append(stream.finish()).toString())
            .isEqualTo(tokenizer.decode(true, ids));
      }
    }
  }

  @Test
  void shouldEmitIncompleteCharacterOnlyAtTheEnd() throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(SharedData.folder("models/smollm2-135m-instruct"))) {
      int[] ids = tokenizer.encodeRendered("中文 日");
      StreamingDetokenizer stream = tokenizer.streaming();
      StringBuilder joined = new StringBuilder();
      for (int id : IntStream.of(ids).limit(ids.length - 1).toArray()) {
        joined.append(stream.append(id));
      }
      assertThat(joined.toString()).isEqualTo("中文 ");
      assertThat(stream.finish()).contains("\uFFFD");
    }
  }

  @Test
  void shouldNameTheFolderWhenTokenizerIsMissing(@TempDir Path folder) {
    assertThatThrownBy(() -> Tokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no tokenizer.json in " + folder);
  }

  @Test
  void shouldNameTheFileWhenTokenizerIsBroken(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": 3}");
    assertThatThrownBy(() -> Tokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("tokenizer.json cannot be read");
  }

  private static int[] ints(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).intValue()).toArray();
  }
}
