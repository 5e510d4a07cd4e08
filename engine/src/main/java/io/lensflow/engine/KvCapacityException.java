package io.lensflow.engine;

/** The pool of keys and values has no room for a sequence now; it may have when others end. */
public final class KvCapacityException extends RuntimeException {
  public KvCapacityException(String message) {
    super(message);
  }
}
