package io.lensflow.decoder.loss;

import java.util.List;

/**
 * Chunks of a finished request that one lens never answered. Immutable.
 *
 * @param lens the lens; empty for every lens, where the event does not say which were asked for
 * @param missing sequences, rising, at least one
 */
public record Loss(Ending ending, String lens, List<Integer> missing) {
  public Loss {
    missing = List.copyOf(missing);
  }
}
