package io.lensflow.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/** What the checkout holds beside the modules: documents, examples, the demo model. */
final class Checkout {
  private Checkout() {}

  /** A file or folder by its path from the root. */
  static Path path(String name) {
    return root().resolve(name);
  }

  /** Tests run in their module's folder; the root is the outermost one with a pom. */
  private static Path root() {
    Path root = Path.of("").toAbsolutePath();
    while (root.getParent() != null && Files.exists(root.resolveSibling("pom.xml"))) {
      root = root.getParent();
    }
    return root;
  }
}
