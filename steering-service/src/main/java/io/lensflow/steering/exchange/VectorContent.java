package io.lensflow.steering.exchange;

import io.lensflow.steering.vector.SiteDraft;
import java.util.List;
import java.util.Map;

/**
 * What a file holds of a vector. Immutable by agreement.
 *
 * @param sites where it acts, with values [D] in float32
 * @param metadata what else the file says, by Lensflow's names: {@code method}, {@code
 *     description}, …
 */
public record VectorContent(List<SiteDraft> sites, Map<String, String> metadata) {
  public VectorContent {
    sites = List.copyOf(sites);
    metadata = Map.copyOf(metadata);
  }
}
