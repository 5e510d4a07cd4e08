package io.lensflow.decoder.lens;

import io.lensflow.records.Failure;

/**
 * Why one lens of a chunk gets no values, while the others get theirs.
 *
 * @param lens name of the lens
 * @param failure what is wrong
 * @param deadLetter whether the chunk belongs among the dead letters too: it asks for what cannot
 *     be. Where something is only missing here, such as a lens of that name, the gap says so and
 *     the log keeps the rows for a replay
 */
public record LensRefusal(String lens, Failure failure, boolean deadLetter) {
  /** No lens of that name is held here. */
  public static final String NO_SUCH_LENS = "NO_SUCH_LENS";

  /** The lens was made for other rows than these. */
  public static final String LENS_MISMATCH = "LENS_MISMATCH";

  /** No vector of that name and version is known here. */
  public static final String NO_SUCH_VECTOR = "NO_SUCH_VECTOR";

  /** Metrics need the model's own last row, and the chunk does not hold it. */
  public static final String NO_FINAL_ROW = "NO_FINAL_ROW";
}
