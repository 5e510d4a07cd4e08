package io.lensflow.decoder.loss;

import java.util.List;
import java.util.Set;

/**
 * What {@code completions} says of the requests of one partition. Immutable.
 *
 * @param finished requests that finished
 * @param open requests that have begun and not ended: their chunks may have been lost as well
 * @param nextOffset where to read {@code completions} on
 * @param activationsEnd end of the partition of {@code activations} after that was read: all chunks
 *     of what has finished lie before it
 */
public record Endings(
    List<Ending> finished, Set<String> open, long nextOffset, long activationsEnd) {
  public Endings {
    finished = List.copyOf(finished);
    open = Set.copyOf(open);
  }
}
