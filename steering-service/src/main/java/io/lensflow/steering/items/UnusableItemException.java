package io.lensflow.steering.items;

/** An item that has no place at which its two texts can be compared; the message says why. */
public final class UnusableItemException extends Exception {
  private static final long serialVersionUID = 1L;

  UnusableItemException(String reason) {
    super(reason, null, false, false);
  }
}
