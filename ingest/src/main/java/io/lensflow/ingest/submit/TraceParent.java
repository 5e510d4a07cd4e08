package io.lensflow.ingest.submit;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/** W3C trace context, header {@code traceparent}. Stateless and thread-safe. */
public final class TraceParent {
  /** Version ff and ids of zeros are invalid by the standard. */
  private static final Pattern VALID =
      Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");

  private static final SecureRandom RANDOM = new SecureRandom();

  private TraceParent() {}

  /**
   * The caller's trace where it has a valid one; a new one, not sampled by anybody yet, where it
   * has none: the standard says to restart a trace rather than to refuse a request.
   *
   * @param header the request's header; may be null
   */
  public static String of(String header) {
    if (header != null && VALID.matcher(header.strip()).matches()) {
      return header.strip();
    }
    byte[] ids = new byte[24];
    RANDOM.nextBytes(ids);
    ids[0] |= 1; // never all zeros
    ids[16] |= 1;
    HexFormat hex = HexFormat.of();
    return "00-" + hex.formatHex(ids, 0, 16) + "-" + hex.formatHex(ids, 16, 24) + "-00";
  }
}
