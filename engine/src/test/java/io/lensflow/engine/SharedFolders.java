package io.lensflow.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reference data beside the checkout; tests that need it are skipped where it is absent. */
public final class SharedFolders {
  private SharedFolders() {}

  /** A folder of the reference data. */
  public static Path folder(String name) {
    Path folder = root().resolve(name);
    assumeTrue(Files.isDirectory(folder), () -> "reference data are missing: " + folder);
    return folder;
  }

  /** The folder of a real model, made on first use. */
  public static synchronized Path smolLm2() throws IOException {
    Process process =
        new ProcessBuilder(folder("tools").resolve("smollm2").toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String printed =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    return Path.of(printed);
  }

  private static Path root() {
    String configured = System.getenv("LENSFLOW_SHARED");
    if (configured != null) {
      return Path.of(configured);
    }
    Path at = Path.of("").toAbsolutePath();
    while (at != null && !Files.isDirectory(at.resolve("../shared/fixtures").normalize())) {
      at = at.getParent();
    }
    return at == null ? Path.of("../shared") : at.resolve("../shared").normalize();
  }
}
