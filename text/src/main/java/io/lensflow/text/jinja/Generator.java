package io.lensflow.text.jinja;

import java.util.Iterator;

/**
 * A Python iterator, which many filters return: always true, without length, and used up by the
 * first loop over it. For one thread.
 */
final class Generator implements Iterable<Object> {
  private final Iterator<Object> rest;

  Generator(Iterator<Object> items) {
    this.rest = items;
  }

  /** What is left; every call returns the same iterator. */
  @Override
  public Iterator<Object> iterator() {
    return rest;
  }
}
