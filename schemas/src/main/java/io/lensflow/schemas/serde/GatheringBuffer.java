package io.lensflow.schemas.serde;

import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Collects an encoded record: small writes are copied into a buffer that is kept for the next
 * record, large ones only noted, and all are copied once into an array of the exact length. So the
 * payload of a chunk, a MiB or so, is copied once instead of three times.
 *
 * <p>An array that was written must not change until {@link #toByteArray()}. Not thread-safe.
 */
final class GatheringBuffer extends OutputStream {
  /** From here on a second copy costs more than noting the array. */
  private static final int LARGE_BYTES = 4096;

  private static final int INITIAL_BYTES = 8 * 1024;

  /** A record of many small values may need a large buffer once; it is not kept for ever. */
  private static final int KEPT_BYTES = 1024 * 1024;

  private byte[] small = new byte[INITIAL_BYTES];
  private int smallLength;
  private int largeLength;
  private final List<Large> larges = new ArrayList<>();

  /** A noted array; it comes after the first {@code smallBefore} bytes of the small buffer. */
  private record Large(int smallBefore, byte[] bytes, int offset, int length) {}

  void reset() {
    smallLength = 0;
    largeLength = 0;
    larges.clear();
    if (small.length > KEPT_BYTES) {
      small = new byte[INITIAL_BYTES];
    }
  }

  @Override
  public void write(int value) {
    ensureRoom(1);
    small[smallLength++] = (byte) value;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (length >= LARGE_BYTES) {
      larges.add(new Large(smallLength, bytes, offset, length));
      largeLength = Math.addExact(largeLength, length);
    } else {
      ensureRoom(length);
      System.arraycopy(bytes, offset, small, smallLength, length);
      smallLength += length;
    }
  }

  byte[] toByteArray() {
    byte[] whole = new byte[Math.addExact(smallLength, largeLength)];
    int from = 0;
    int to = 0;
    for (Large large : larges) {
      System.arraycopy(small, from, whole, to, large.smallBefore - from);
      to += large.smallBefore - from;
      from = large.smallBefore;
      System.arraycopy(large.bytes, large.offset, whole, to, large.length);
      to += large.length;
    }
    System.arraycopy(small, from, whole, to, smallLength - from);
    return whole;
  }

  private void ensureRoom(int bytes) {
    int needed = Math.addExact(smallLength, bytes);
    if (needed > small.length) {
      long doubled = Math.min(2L * small.length, Integer.MAX_VALUE - 8);
      small = Arrays.copyOf(small, Math.max(needed, (int) doubled));
    }
  }
}
