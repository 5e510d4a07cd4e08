package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.GoldenCheckpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sharded checkpoints whose index lies, and folders that hold something else. */
class ShardedCheckpointTest {
  private static final String NORM = "model.norm.weight";
  private static final String SECOND = "model-00002-of-00002.safetensors";

  @TempDir private Path folder;
  private Path index;

  @BeforeEach
  void copy() throws IOException {
    GoldenCheckpoints.copy("llama-tp", folder);
    index = folder.resolve("model.safetensors.index.json");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../model.safetensors",
        "/etc/passwd",
        "sub/model.safetensors",
        "..\\\\model.safetensors",
        "C:model.safetensors",
        "..",
        "",
        "nul\\u0000.safetensors",
        "pytorch_model.bin"
      })
  void shouldRefuseWhenTheIndexPointsOutOfItsFolder(String shard) throws IOException {
    Files.writeString(index, "{\"weight_map\": {\"%s\": \"%s\"}}".formatted(NORM, shard));
    refused(index + ": weight_map names ", "which is not a file of this folder");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"weight_map\": {}}",
        "{\"weight_map\": [\"a\"]}",
        "{\"weight_map\": {\"a\": 7}}",
        "{\"weight_map\": {\"a\": null}}",
        "[]",
        "{",
      })
  void shouldNameTheIndexWhenItIsMalformed(String text) throws IOException {
    Files.writeString(index, text);
    refused(index.toString());
  }

  @Test
  void shouldNameTheShardWhenItIsMissing() throws IOException {
    Files.delete(folder.resolve(SECOND));
    refused(folder.resolve(SECOND) + ": no such file");
  }

  @Test
  void shouldSayWhoIsWrongWhenIndexAndShardsDisagree() throws IOException {
    change(map -> map.put("absent", SECOND));
    refused("weight_map says that " + SECOND + " holds tensor absent, which it does not");
    change(
        map -> {
          map.remove("absent");
          map.put(
              NORM,
              "model-00001-of-00002.safetensors".equals(map.path(NORM).asText())
                  ? SECOND
                  : "model-00001-of-00002.safetensors");
        });
    refused("holds tensor " + NORM + ", which it does not");
  }

  @Test
  void shouldReadATensorWhenOnlyItsShardListsIt() throws IOException {
    change(map -> map.remove(NORM));
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.tensor(NORM, 64).byteCount()).isEqualTo(128);
    }
  }

  @Test
  void shouldNameBothFilesWhenTwoHoldOneTensor() throws IOException {
    Files.copy(folder.resolve(SECOND), folder.resolve("twin.safetensors"));
    String[] moved = new String[1];
    change(
        map -> {
          map.fieldNames()
              .forEachRemaining(
                  name -> moved[0] = map.path(name).asText().equals(SECOND) ? name : moved[0]);
          map.put(moved[0], "twin.safetensors");
        });
    refused("lies in both", SECOND, "twin.safetensors");
  }

  @Test
  void shouldSayWhatIsReadWhenAFolderHoldsNoSafetensors() throws IOException {
    for (int shard = 1; shard <= 2; shard++) {
      Files.delete(folder.resolve("model-0000%d-of-00002.safetensors".formatted(shard)));
    }
    Files.delete(index);
    Files.writeString(folder.resolve("pytorch_model.bin"), "pickle");
    refused(folder + ": neither model.safetensors nor", "never pickled weights");
  }

  private void change(Consumer<ObjectNode> change) throws IOException {
    ObjectNode root = (ObjectNode) new ObjectMapper().readTree(index.toFile());
    change.accept((ObjectNode) root.get("weight_map"));
    Files.writeString(index, root.toString());
  }

  private void refused(String... messages) {
    assertThatThrownBy(() -> EngineLoader.load(folder, EngineOptions.defaults()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(messages);
  }
}
