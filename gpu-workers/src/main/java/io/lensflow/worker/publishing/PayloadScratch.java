package io.lensflow.worker.publishing;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory in which the payload of one chunk at a time is put together, kept for the next one: it
 * stays in the processor's cache, whereas a new array of a MiB for each chunk would be cleared and
 * filled in main memory.
 *
 * <p>Not thread-safe.
 */
public final class PayloadScratch {
  private byte[] bytes = new byte[0];

  /**
   * @return room for {@code size} bytes from position 0 on, little-endian, whatever it held before;
   *     valid until the next call
   */
  ByteBuffer take(int size) {
    if (bytes.length < size) {
      bytes = new byte[size];
    }
    return ByteBuffer.wrap(bytes, 0, size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
