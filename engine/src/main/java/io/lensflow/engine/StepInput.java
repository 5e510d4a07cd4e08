package io.lensflow.engine;

/**
 * New tokens of one sequence for one step: a chunk of its prompt, or the token chosen last.
 *
 * @param sequence the sequence, open
 * @param tokenIds T ≥ 1 token ids, at positions {@code sequence.length()} and on
 * @param logits which rows go through the head
 */
public record StepInput(Sequence sequence, int[] tokenIds, Logits logits) {
  /** Which of a step's rows go through the final norm and the head. */
  public enum Logits {
    /** None. */
    NONE,
    /** The last one; only its summary leaves the device. */
    SUMMARY,
    /** The last one. */
    LAST,
    /** Every one. */
    ALL;

    /** Whether logits leave the device, not only their summary. */
    public boolean leaveDevice() {
      return this == LAST || this == ALL;
    }
  }
}
