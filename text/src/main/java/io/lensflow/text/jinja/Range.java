package io.lensflow.text.jinja;

import java.util.AbstractList;
import java.util.RandomAccess;

/** Python's {@code range}: its numbers, never stored. Immutable. */
final class Range extends AbstractList<Object> implements RandomAccess {
  /** Jinja's sandbox refuses longer ones, as transformers has it. */
  private static final long MAX_LENGTH = 100_000;

  private final long start;
  private final long stop;
  private final long step;
  private final int length;

  Range(long start, long stop, long step) {
    if (step == 0) {
      throw new JinjaException("range() arg 3 must not be zero");
    }
    this.start = start;
    this.stop = stop;
    this.step = step;
    double span = ((double) stop - start) / step;
    if (span > MAX_LENGTH) {
      throw new JinjaException("Range too big. The sandbox blocks ranges larger than MAX_RANGE");
    }
    this.length = (int) Math.max(0, Math.ceil(span));
  }

  @Override
  public Object get(int index) {
    if (index < 0 || index >= length) {
      throw new IndexOutOfBoundsException(index);
    }
    return start + index * step;
  }

  @Override
  public int size() {
    return length;
  }

  /** As Python prints it. */
  @Override
  public String toString() {
    return step == 1
        ? "range(%d, %d)".formatted(start, stop)
        : "range(%d, %d, %d)".formatted(start, stop, step);
  }
}
