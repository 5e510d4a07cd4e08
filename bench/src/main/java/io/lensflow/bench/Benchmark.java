package io.lensflow.bench;

import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Finding;
import java.util.List;

/** Measures one figure, or several that share what they need. */
public interface Benchmark {
  /** What it can measure. */
  List<Definition> definitions();

  /**
   * Measures all of it.
   *
   * @return one finding per definition, in order
   */
  List<Finding> measure(Setting setting) throws Exception;
}
