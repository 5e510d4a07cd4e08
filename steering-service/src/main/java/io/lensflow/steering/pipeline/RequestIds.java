package io.lensflow.steering.pipeline;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.UUID;

/**
 * Ids of a job's requests. They are made of what the job is and not drawn, so that whoever takes
 * the job over asks with the same ids and finds what was answered. As every id they are UUIDv7: the
 * time is the job's. Immutable and thread-safe.
 */
final class RequestIds {
  private static final long VERSION_7 = 0x7000L;
  private static final long VARIANT = 0x8000_0000_0000_0000L;

  private final String jobId;
  private final Instant createdAt;

  RequestIds(String jobId, Instant createdAt) {
    this.jobId = jobId;
    this.createdAt = createdAt;
  }

  /** The job whose requests these are. */
  String jobId() {
    return jobId;
  }

  /**
   * The id of a request.
   *
   * @param series which of the job's runs
   * @param index which request of it
   * @param repeat 0, and one more each time that it is asked again because its rows were lost
   */
  String of(String series, int index, int repeat) {
    ByteBuffer hash =
        ByteBuffer.wrap(sha256("%s/%s/%d/%d".formatted(jobId, series, index, repeat)));
    long most = createdAt.toEpochMilli() << 16 | VERSION_7 | hash.getShort() & 0x0fffL;
    long least = VARIANT | hash.getLong() >>> 2;
    return new UUID(most, least).toString();
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
