package io.lensflow.decoder.fit;

/** Is told how far a fit is. Called on the fit's own thread. */
public interface FitProgress {
  /**
   * Rows were read.
   *
   * @param rows positions read at the layer that has fewest
   * @param target how many it shall be
   */
  void rows(long rows, long target);

  /** The report is being made: {@code done} of {@code total} parts. */
  void measuring(int done, int total);

  /** One line for the user: a phase begins, or something is worth knowing. */
  void say(String line);
}
