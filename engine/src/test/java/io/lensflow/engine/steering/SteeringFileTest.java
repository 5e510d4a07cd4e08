package io.lensflow.engine.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.GoldenCheckpoints;
import io.lensflow.engine.checkpoint.CheckpointException;
import io.lensflow.engine.checkpoint.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Steering files and their vectors, wrong in every way that a user or a stranger may find. */
class SteeringFileTest {
  private static final String GOOD =
      "[{\"vector\":{\"file\":\"v.safetensors\",\"tensor\":\"v\"},\"layer\":1,\"multiplier\":0.5}]";

  private static final int FUZZ_TRIALS = 200;

  @TempDir private Path folder;
  private Path file;
  private Path vectors;

  @BeforeEach
  void write() throws IOException {
    file = folder.resolve("steering.json");
    vectors = folder.resolve("v.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    writer.add("v", "F32", new long[] {36}, List.of(floats(36, 1)));
    writer.add("nan", "F32", new long[] {36}, List.of(floats(36, Float.NaN)));
    writer.add("wide", "F32", new long[] {300_000}, List.of(floats(300_000, 1)));
    writer.add("short", "F32", new long[] {3}, List.of(floats(3, 1)));
    writer.add("ids", new int[] {1, 2, 3});
    writer.write(vectors, Map.of());
  }

  private static ByteBuffer floats(int count, float value) {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      bytes.putFloat(value);
    }
    return bytes.flip();
  }

  @Test
  void shouldPrepareTheVectorWhenAllIsWell() throws IOException {
    try (Engine engine = load()) {
      List<SteeringSite> sites = read(GOOD).prepare(engine);
      assertThat(sites).hasSize(1);
      assertThat(sites.get(0).vector().norm()).isEqualTo(6);
      sites.forEach(site -> site.vector().close());
    }
  }

  @Test
  void shouldNameTheEntryWhenItsVectorHasAnotherLength() throws IOException {
    try (Engine engine = load()) {
      SteeringFile steering = read(GOOD.replace("\"v\"", "\"short\""));
      assertThatThrownBy(() -> steering.prepare(engine))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(file + "[0].");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"v\"}`  | `\"nan\"}` | [0].vector holds NaN at element 0",
        "`\"v\"}`  | `\"wide\"}` | [0].vector has shape [300000]",
        "v.safetensors | nul\\u0000 | [0].vector.file is not a path",
        "0.5 | 1e39 | [0].multiplier must be a finite number",
        "0.5 | 1e999 | [0].multiplier must be a finite number",
        "0.5 | `\"0.5\"` | [0].multiplier must be a finite number",
        "`\"layer\":1` | `\"layer\":1.5` | [0].layer must be an integer",
        "`\"layer\"` | `\"Layer\"` | [0].Layer is unknown",
        "[{ | [7,{ | [0].vector must be",
        "[ | {\"a\": | not a list",
        "}] | } | not JSON",
      })
  void shouldNameEntryAndFieldWhenOneIsWrong(String from, String to, String message) {
    String text = GOOD.replace(from, to);
    if (to.startsWith("{")) {
      text = "{}";
    }
    String spoiled = text;
    assertThatThrownBy(() -> read(spoiled))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
  }

  @Test
  void shouldNameTheVectorFileWhenItIsWrong() throws IOException {
    assertThatThrownBy(() -> read(GOOD.replace("\"v\"", "\"absent\"")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(vectors + ": no tensor absent");
    assertThatThrownBy(() -> read(GOOD.replace("\"v\"", "\"ids\"")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tensor ids is stored as I64");
    Files.writeString(vectors, "not safetensors at all");
    assertThatThrownBy(() -> read(GOOD))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(vectors + ": claims a header of");
    Files.delete(vectors);
    assertThatThrownBy(() -> read(GOOD))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(vectors + ": no such file");
  }

  @Test
  void shouldRefuseWhenItIsNotUtf8() throws IOException {
    Files.write(file, new byte[] {'[', (byte) 0xFF, ']'});
    assertThatThrownBy(() -> SteeringFile.read(file))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(file + ": not JSON: not UTF-8");
  }

  @Test
  void shouldReadOrRefuseWhenItIsDamaged() throws IOException {
    byte[] whole = GOOD.getBytes(StandardCharsets.UTF_8);
    Random random = new Random(11);
    int refused = 0;
    for (int trial = 0; trial < FUZZ_TRIALS; trial++) {
      byte[] damaged = whole.clone();
      damaged[random.nextInt(damaged.length)] = (byte) (' ' + random.nextInt(95));
      Files.write(file, damaged);
      try {
        SteeringFile.read(file);
      } catch (IllegalArgumentException | CheckpointException e) {
        assertThat(e).hasMessageContaining(folder.toString());
        refused++;
      }
    }
    assertThat(refused).isBetween(FUZZ_TRIALS / 2, FUZZ_TRIALS - 1);
  }

  private SteeringFile read(String text) throws IOException {
    Files.writeString(file, text);
    return SteeringFile.read(file);
  }

  private static Engine load() throws IOException {
    return EngineLoader.load(
        GoldenCheckpoints.folder("llama-bias"), EngineOptions.defaults().withKvTokens(16));
  }
}
