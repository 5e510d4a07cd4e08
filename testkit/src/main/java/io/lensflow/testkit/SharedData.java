package io.lensflow.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Data that the tests share but the project does not hold: models, golden tensors, data sets. They
 * lie in the folder that the environment variable {@code LENSFLOW_SHARED} names, or else in {@code
 * shared} beside the checkout.
 */
public final class SharedData {
  private static final String VARIABLE = "LENSFLOW_SHARED";

  private SharedData() {}

  /**
   * A folder of the shared data, such as {@code "fixtures/tiny-llama31"}; the test that asks is
   * skipped, with the reason, where it is absent.
   */
  public static Path folder(String name) {
    Path folder = root().resolve(name);
    Assumptions.assumeTrue(
        Files.isDirectory(folder),
        () ->
            "Skipped: " + folder + " is absent; set " + VARIABLE + " to the shared data's folder");
    return folder;
  }

  private static Path root() {
    String set = System.getenv(VARIABLE);
    return set != null && !set.isBlank()
        ? Path.of(set)
        : checkout(Path.of("").toAbsolutePath()).resolveSibling("shared");
  }

  /** Tests run in their module's folder; the checkout's root is the outermost one with a pom. */
  private static Path checkout(Path start) {
    Path root = start;
    while (root.getParent() != null && Files.exists(root.resolveSibling("pom.xml"))) {
      root = root.getParent();
    }
    return root;
  }
}
