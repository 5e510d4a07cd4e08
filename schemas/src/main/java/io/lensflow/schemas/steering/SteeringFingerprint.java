package io.lensflow.schemas.steering;

import io.lensflow.records.AppliedSteering;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Names a list of applied vectors in 32 hex digits: equal for equal lists in equal order, so that
 * rows produced under the same steering can be told by comparing strings. Stateless, thread-safe.
 *
 * <p>It is the first 16 bytes of the SHA-256 over the UTF-8 of one line per vector, each ending in
 * a line feed, with the fields separated by tabs: name, version, layer, hook point, operation, the
 * multiplier's IEEE-754 bits as 8 hex digits, positions, preserveNorm, source, policy (empty if
 * none). Backslash, tab and line feed within a field are written {@code \\}, {@code \t}, {@code
 * \n}.
 */
public final class SteeringFingerprint {
  private static final int BYTES = 16;

  private SteeringFingerprint() {}

  /** The fingerprint; empty for an empty list. */
  public static String of(List<AppliedSteering> steering) {
    if (steering.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    for (AppliedSteering applied : steering) {
      append(text, applied);
    }
    return HexFormat.of().formatHex(sha256(text.toString()), 0, BYTES);
  }

  private static void append(StringBuilder text, AppliedSteering applied) {
    String policy = applied.getPolicy();
    text.append(escape(applied.getName())).append('\t');
    text.append(applied.getVersion()).append('\t');
    text.append(applied.getLayer()).append('\t');
    text.append(applied.getHookPoint()).append('\t');
    text.append(applied.getOperation()).append('\t');
    text.append(bits(applied.getMultiplier())).append('\t');
    text.append(escape(applied.getPositions())).append('\t');
    text.append(applied.getPreserveNorm()).append('\t');
    text.append(applied.getSource()).append('\t');
    text.append(policy == null ? "" : escape(policy)).append('\n');
  }

  /** Bits, since the decimal text of a float differs between JDK 17 and 19; + 0 makes −0 into 0. */
  private static String bits(float value) {
    return HexFormat.of().toHexDigits(Float.floatToIntBits(value + 0.0f));
  }

  private static String escape(String field) {
    return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n");
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
