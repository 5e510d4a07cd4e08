package io.lensflow.engine;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The project's own golden checkpoints, in {@code src/test/resources/golden}. */
public final class GoldenCheckpoints {
  /** All of them. */
  public static final List<String> NAMES =
      List.of(
          "llama-bias",
          "llama-mqa",
          "llama-tp",
          "qwen3",
          "qwen3-window",
          "qwen2",
          "mistral-window");

  private GoldenCheckpoints() {}

  /** A checkpoint's folder, or a file beside the checkpoints. Not to be written to. */
  public static Path folder(String name) {
    URL readme = GoldenCheckpoints.class.getResource("/golden/README.md");
    try {
      return Path.of(Objects.requireNonNull(readme, "golden set").toURI()).resolveSibling(name);
    } catch (URISyntaxException e) {
      throw new AssertionError("the class path is made of URIs", e);
    }
  }

  /** Copies a checkpoint for a test that spoils it. */
  public static Path copy(String name, Path target) throws IOException {
    try (Stream<Path> files = Files.list(folder(name))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.write(target.resolve(file.getFileName().toString()), Files.readAllBytes(file));
      }
    }
    return target;
  }
}
