package io.lensflow.steering.writer;

import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.RefusedException;
import java.util.function.Supplier;

/** Writes changes, one after the other, where it may. Thread-safe. */
public interface ChangeWriter {
  /** Whether this instance believes that it writes; the broker decides when it tries. */
  boolean isOpen();

  /**
   * Writes a change.
   *
   * @param plan decides on the change, with the book up to date; may throw {@link RefusedException}
   * @return the change, whose records are on the topics and in the book, and where they are
   * @throws NotWriterException if another instance writes; nothing was written
   * @throws OutcomeUnknownException if the broker did not say whether it was written
   */
  Written write(Supplier<Change> plan);
}
