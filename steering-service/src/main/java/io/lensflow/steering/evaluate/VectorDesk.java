package io.lensflow.steering.evaluate;

import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.worker.LiveWorkers;
import java.util.function.Supplier;

/**
 * What it takes to publish vectors and to retire them. As thread-safe as its parts.
 *
 * @param book what is there
 * @param changes plans changes
 * @param log writes them
 * @param workers who must have loaded a version before it is used
 */
public record VectorDesk(VectorBook book, VectorChanges changes, Log log, LiveWorkers workers) {

  /** Where changes are written. */
  @FunctionalInterface
  public interface Log {
    /**
     * Writes a change; all that {@code Writer.write} says of it holds.
     *
     * @param plan decides on the change, with the book up to date
     */
    Change write(Supplier<Change> plan);
  }
}
