package io.lensflow.decoder.fit;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Which requests are held out. Rows of one text resemble each other, so a request goes to one side
 * as a whole, all its attempts included, and always to the same one under the same seed.
 *
 * @param heldOut share of requests, 0 … 1
 * @param seed chooses the split
 */
record RequestSplit(double heldOut, long seed) {
  boolean isHeldOut(String requestId) {
    byte[] id = requestId.getBytes(StandardCharsets.UTF_8);
    byte[] text = ByteBuffer.allocate(Long.BYTES + id.length).putLong(seed).put(id).array();
    try {
      long hash = ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(text)).getLong();
      return (hash >>> 11) * 0x1p-53 < heldOut;
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
