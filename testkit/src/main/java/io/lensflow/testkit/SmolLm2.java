package io.lensflow.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A real model of 135 million parameters: its folder is made from the shared data on first use. */
public final class SmolLm2 {
  private static Path folder;

  private SmolLm2() {}

  /** The model's folder; the test that asks is skipped where the shared data are absent. */
  public static synchronized Path folder() throws IOException, InterruptedException {
    Path tool = SharedData.folder("tools").resolve("smollm2");
    if (folder == null) {
      Process process =
          new ProcessBuilder(tool.toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String printed =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      assumeTrue(process.waitFor() == 0 && Files.isDirectory(Path.of(printed)), "no model made");
      folder = Path.of(printed);
    }
    return folder;
  }
}
