package io.lensflow.steering.build;

/** Whether a mean difference takes out what the answers' letters alone make. */
public enum Balance {
  /** Both orders of a pair of letters weigh the same; an item without its reverse is skipped. */
  LABEL,
  /** The plain mean over all items. */
  NONE
}
