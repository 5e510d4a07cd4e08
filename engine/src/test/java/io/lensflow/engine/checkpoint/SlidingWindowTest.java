package io.lensflow.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.engine.GoldenCheckpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SlidingWindowTest {
  @TempDir private Path folder;

  @Test
  void shouldCoverAllLayersWhenMistralHasOne() throws IOException {
    assertThat(window("mistral-window", config -> {}))
        .isEqualTo(new SlidingWindow(8, Set.of(0, 1)));
    assertThat(window("mistral-window", config -> config.remove("sliding_window")))
        .isEqualTo(new SlidingWindow(4096, Set.of(0, 1)));
    assertThat(window("mistral-window", config -> config.putNull("sliding_window"))).isNull();
    assertThat(
            window(
                "mistral-window",
                config -> types(config, "sliding_attention", "sliding_attention")))
        .isEqualTo(new SlidingWindow(8, Set.of(0, 1)));
  }

  @Test
  void shouldFollowItsSwitchAndLayersWhenQwenHasOne() throws IOException {
    assertThat(window("qwen2", config -> {})).isNull();
    assertThat(window("qwen2", config -> config.put("use_sliding_window", true)))
        .isEqualTo(new SlidingWindow(4, Set.of(1)));
    assertThat(
            window(
                "qwen2",
                config -> config.put("use_sliding_window", true).remove("max_window_layers")))
        .as("28 full layers by default")
        .isNull();
    assertThat(window("qwen2", config -> config.remove("use_sliding_window"))).isNull();
    assertThat(window("qwen3-window", config -> {})).isEqualTo(new SlidingWindow(6, Set.of(1, 2)));
    assertThat(window("qwen3-window", config -> config.remove("sliding_window")))
        .isEqualTo(new SlidingWindow(4096, Set.of(1, 2)));
  }

  @Test
  void shouldLeaveTheContextAsLongAsItIs() throws IOException {
    assertThat(read("mistral-window", config -> {}).model().maxPositions()).isEqualTo(64);
  }

  @Test
  void shouldRefuseWhenLayersAndWindowContradict() {
    refused(
        "qwen3-window",
        config -> config.put("use_sliding_window", false),
        "layer_types 'sliding_attention' is not supported");
    refused(
        "qwen3-window",
        config -> types(config, "full_attention", "chunked_attention", "full_attention"),
        "layer_types 'chunked_attention' is not supported");
    refused(
        "qwen3-window",
        config -> types(config, "full_attention"),
        "layer_types lists 1 layers; num_hidden_layers is 3");
    refused(
        "mistral-window",
        config -> types(config, "full_attention", "sliding_attention"),
        "layer_types 'full_attention' is not supported");
    refused("mistral-window", config -> config.put("sliding_window", 0), "sliding_window is 0");
    refused(
        "qwen2",
        config -> config.put("use_sliding_window", true).put("max_window_layers", -1),
        "max_window_layers is -1");
  }

  private static void types(ObjectNode config, String... types) {
    config.putArray("layer_types");
    for (String type : types) {
      config.withArray("layer_types").add(type);
    }
  }

  private void refused(String name, Consumer<ObjectNode> change, String message) {
    assertThatThrownBy(() -> read(name, change))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  private SlidingWindow window(String name, Consumer<ObjectNode> change) throws IOException {
    return read(name, change).window();
  }

  private CheckpointConfig read(String name, Consumer<ObjectNode> change) throws IOException {
    Path file = GoldenCheckpoints.folder(name).resolve("config.json");
    ObjectNode config = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    change.accept(config);
    Files.writeString(folder.resolve("config.json"), config.toString());
    return ConfigReader.read(folder);
  }
}
