package io.lensflow.bench.workload;

import io.lensflow.cli.option.SystemOptions;
import io.lensflow.cli.steering.DataFile;
import java.nio.file.Files;
import java.nio.file.Path;

/** Contrastive items to build vectors from. Stateless. */
public final class ContrastiveData {
  private static final String SHARED = "LENSFLOW_SHARED";
  private static final String REAL = "datasets/corrigible-neutral-HHH.jsonl";
  private static final String SHIPPED = "demo-model/data/risk-taking.jsonl";

  private ContrastiveData() {}

  /**
   * {@code corrigible-neutral-HHH} of Anthropic's evals where the folder that the environment
   * variable {@value #SHARED} names has it, or else {@code ../shared} beside the checkout; the demo
   * model's own data where neither is there.
   */
  public static DataFile read() {
    Path home = SystemOptions.home();
    Path real = shared(System.getenv(SHARED), home).resolve(REAL);
    return DataFile.read(Files.isRegularFile(real) ? real : home.resolve(SHIPPED));
  }

  /** A variable that is set to nothing names no folder. */
  static Path shared(String named, Path home) {
    return named == null || named.isBlank() ? home.resolveSibling("shared") : Path.of(named);
  }
}
