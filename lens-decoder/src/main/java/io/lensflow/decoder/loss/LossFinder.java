package io.lensflow.decoder.loss;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * Asks the topics beside {@code activations} what a hole has cost. A hole shows offsets, not whose
 * rows they held; but {@code completions} says how many chunks each attempt published, and {@code
 * lens-results} which of them were answered. All three have a request in the same partition number.
 *
 * <p>Thread-safe; answers come on another thread, or exceptionally if the broker cannot be asked.
 */
public interface LossFinder extends AutoCloseable {
  /**
   * Finds the requests of a partition that finished, and those that still run.
   *
   * @param sinceMillis requests whose chunks may be lost have no event before this, by the broker's
   *     clock; negative for all there is
   */
  CompletionStage<Endings> endings(int partition, long sinceMillis);

  /**
   * As {@link #endings(int, long)}, for what has happened since.
   *
   * @param open requests to look for; all others have been seen to
   * @param nextOffset where the last answer stopped
   */
  CompletionStage<Endings> endings(int partition, Set<String> open, long nextOffset);

  /**
   * Finds the chunks that no result and no gap answers. To be asked when everything before {@link
   * Endings#activationsEnd} is decoded and committed.
   *
   * @param sinceMillis as for {@link #endings(int, long)}
   */
  CompletionStage<List<Loss>> losses(int partition, long sinceMillis, Collection<Ending> finished);

  @Override
  void close();
}
