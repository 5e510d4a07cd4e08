package io.lensflow.steering.algebra;

import io.lensflow.steering.vector.SiteDraft;
import java.util.List;

/**
 * A version that something is computed from.
 *
 * @param label {@code name@version}
 * @param weight what its values are multiplied by
 * @param sites its sites with their values [D]
 */
public record Operand(String label, double weight, List<SiteDraft> sites) {
  public Operand {
    sites = List.copyOf(sites);
  }
}
