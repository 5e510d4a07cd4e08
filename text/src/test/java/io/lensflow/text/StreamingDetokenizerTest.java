package io.lensflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams of random and of hostile ids, against the decoded whole. */
class StreamingDetokenizerTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TEXT =
      "  Hi — naïve 中文 日本 👩‍👩‍👧‍👦 🏳️‍🌈 é e\u0301 \uFFFD \n\tक्षि 😀😀 ▁x <0xE2> ";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "models/smollm2-135m-instruct, 49152",
    "fixtures/qwen3-tokenizer, 151669",
    "fixtures/tiny-llama31, 256"
  })
  void shouldJoinToTheWholeOfRealVocabularies(String model, int vocabulary) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(SharedData.folder(model))) {
      check(tokenizer, tokenizer.encodeRendered(TEXT));
      Random random = new Random(7);
      int[] hard = tokenizer.encodeRendered("👩‍👧中é\uFFFD \n");
      for (int i = 0; i < 300; i++) {
        check(tokenizer, ids(random, vocabulary, 1 + random.nextInt(80)));
        check(tokenizer, mix(random, hard, random.nextInt(80)));
      }
    }
  }

  @Test
  void shouldJoinToTheWholeWhenTokensAreBytes() throws IOException {
    try (Tokenizer tokenizer = byteLevel()) {
      assertThat(tokenizer.decode(true, utf8("é中😀"))).isEqualTo("é中😀");
      check(tokenizer, utf8(TEXT));
      Random random = new Random(8);
      int[] hard = {
        0xe4, 0xb8, 0xad, 0xf0, 0x9f, 0x98, 0x80, 0xc3, 0xa9, 'a', 0xff, 0xed, 256, 257
      };
      for (int i = 0; i < 2000; i++) {
        check(tokenizer, ids(random, 260, 1 + random.nextInt(60)));
        check(tokenizer, mix(random, hard, random.nextInt(60)));
      }
    }
  }

  @Test
  void shouldWaitForACharacterAcrossASpecialToken() throws IOException {
    try (Tokenizer tokenizer = byteLevel()) {
      StreamingDetokenizer stream = tokenizer.streaming();
      List<String> pieces = new ArrayList<>();
      for (int id : new int[] {0xe4, 256, 0xb8, 0xad, 0xe4, 'a'}) {
        pieces.add(stream.append(id));
      }
      assertThat(pieces).containsExactly("", "", "", "中", "", "\uFFFDa");
      assertThat(stream.finish()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"strip", "metaspace"})
  void shouldJoinToTheWholeWhenSpacesAreInTokensAndBytesAreAFallback(String kind)
      throws IOException {
    try (Tokenizer tokenizer = sentencePiece(kind)) {
      assertThat(tokenizer.decode(true, 259, 264, 0xe2, 0x82, 0xac)).isEqualTo(" hello€");
      Random random = new Random(9);
      int[] hard = {0xe2, 0x82, 0xac, 0xe2, 0x82, 0xac, 0xc3, 256, 259, 260, 261, 262, 264};
      for (int i = 0; i < 2000; i++) {
        check(tokenizer, ids(random, 267, 1 + random.nextInt(60)));
        check(tokenizer, mix(random, hard, random.nextInt(60)));
      }
    }
  }

  @Test
  void shouldEmitAFallbackRunOnlyWhenItIsKnownToBeText() throws IOException {
    try (Tokenizer tokenizer = sentencePiece("strip")) {
      StreamingDetokenizer stream = tokenizer.streaming();
      List<String> pieces = new ArrayList<>();
      for (int id : new int[] {264, 0xe2, 0x82, 0xac, 262, 0xe2, 0x82, 0xac, 0xe2, 262}) {
        pieces.add(stream.append(id));
      }
      // One wrong byte makes replacement characters of all bytes of its run.
      assertThat(pieces)
          .containsExactly("hello", "", "", "", "€a", "", "", "", "", "\uFFFD".repeat(4) + "a");
    }
  }

  @Test
  void shouldDecodeAFewIdsATokenHoweverLongTheStreamIs() {
    int[] most = new int[1];
    // Each token ends one character and begins another: no place is ever between two characters.
    StreamingDetokenizer stream =
        new StreamingDetokenizer(
            ids -> {
              most[0] = Math.max(most[0], ids.length);
              byte[] bytes = new byte[3 * ids.length];
              for (int i = 0; i < ids.length; i++) {
                bytes[3 * i] = (byte) 0xb8;
                bytes[3 * i + 1] = (byte) 0xad;
                bytes[3 * i + 2] = (byte) 0xe4;
              }
              return new String(bytes, StandardCharsets.UTF_8);
            },
            new TokenKinds(true, new BitSet(), new BitSet()));
    StringBuilder joined = new StringBuilder();
    for (int i = 0; i < 10_000; i++) {
      joined.append(stream.append(0));
    }
    joined.append(stream.finish());
    assertThat(joined.toString()).isEqualTo("\uFFFD\uFFFD" + "中".repeat(9_999) + "\uFFFD");
    assertThat(most[0]).isLessThanOrEqualTo(StreamingDetokenizer.WINDOW + 1);
  }

  private static void check(Tokenizer tokenizer, int[] ids) {
    StreamingDetokenizer stream = tokenizer.streaming();
    String whole = tokenizer.decode(true, ids);
    StringBuilder joined = new StringBuilder();
    for (int id : ids) {
      String piece = stream.append(id);
      joined.append(piece);
      assertThat(whole).startsWith(joined.toString());
      assertThat(piece.isEmpty() || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
          .isTrue();
    }
    assertThat(joined.append(stream.finish()).toString()).isEqualTo(whole);
  }

  private static int[] ids(Random random, int bound, int length) {
    return random.ints(length, 0, bound).toArray();
  }

  private static int[] mix(Random random, int[] from, int length) {
    return random.ints(length, 0, from.length).map(i -> from[i]).toArray();
  }

  private static int[] utf8(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return IntStream.range(0, bytes.length).map(i -> bytes[i] & 0xff).toArray();
  }

  /** Ids 0 … 255 are bytes, 256 and 257 special, 258 and 259 plain added tokens. */
  private Tokenizer byteLevel() throws IOException {
    Map<String, Integer> vocabulary = new LinkedHashMap<>();
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean plain = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      vocabulary.put(Character.toString(plain ? b : next++), b);
    }
    return tokenizer(
        vocabulary,
        Map.of(
            "type",
            "ByteLevel",
            "add_prefix_space",
            false,
            "trim_offsets",
            true,
            "use_regex",
            true),
        List.of(
            added(256, "<s>", true),
            added(257, "</s>", true),
            added(258, "<think>", false),
            added(259, "<a b é>", false)));
  }

  /** Ids 0 … 255 are fallback bytes, 256 … 258 special, then words with and without spaces. */
  private Tokenizer sentencePiece(String kind) throws IOException {
    Map<String, Integer> vocabulary = new LinkedHashMap<>();
    for (int b = 0; b < 256; b++) {
      vocabulary.put("<0x%02X>".formatted(b), b);
    }
    int id = 256;
    for (String token :
        List.of("<s>", "</s>", "<unk>", "▁", "▁▁", "▁▁▁▁", "a", "é", "▁hello", "中", "▁😀")) {
      vocabulary.put(token, id++);
    }
    Map<String, Object> decoder =
        kind.equals("strip")
            ? Map.of(
                "type",
                "Sequence",
                "decoders",
                List.of(
                    Map.of("type", "Replace", "pattern", Map.of("String", "▁"), "content", " "),
                    Map.of("type", "ByteFallback"),
                    Map.of("type", "Fuse"),
                    Map.of("type", "Strip", "content", " ", "start", 1, "stop", 0)))
            : Map.of(
                "type",
                "Sequence",
                "decoders",
                List.of(
                    Map.of("type", "ByteFallback"),
                    Map.of(
                        "type",
                        "Metaspace",
                        "replacement",
                        "▁",
                        "prepend_scheme",
                        "always",
                        "split",
                        false)));
    return tokenizer(
        vocabulary,
        decoder,
        List.of(added(256, "<s>", true), added(257, "</s>", true), added(258, "<unk>", true)));
  }

  private static Map<String, Object> added(int id, String content, boolean special) {
    return Map.of(
        "id",
        id,
        "content",
        content,
        "special",
        special,
        "single_word",
        false,
        "lstrip",
        false,
        "rstrip",
        false,
        "normalized",
        false);
  }

  private Tokenizer tokenizer(
      Map<String, Integer> vocabulary, Map<String, Object> decoder, List<?> added)
      throws IOException {
    Map<String, Object> file = new LinkedHashMap<>();
    file.put("version", "1.0");
    file.put("added_tokens", added);
    file.put("normalizer", null);
    file.put("pre_tokenizer", null);
    file.put("post_processor", null);
    file.put("decoder", decoder);
    file.put(
        "model", Map.of("type", "BPE", "vocab", vocabulary, "merges", Collections.emptyList()));
    Files.write(folder.resolve("tokenizer.json"), JSON.writeValueAsBytes(file));
    return Tokenizer.load(folder);
  }
}
