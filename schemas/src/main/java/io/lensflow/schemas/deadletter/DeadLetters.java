package io.lensflow.schemas.deadletter;

import io.lensflow.records.DeadLetter;
import io.lensflow.records.Failure;
import io.lensflow.records.RecordHeader;
import io.lensflow.schemas.serde.LensflowHeaders;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** Makes dead letters: the original record, whole, and why it was given up. Stateless. */
public final class DeadLetters {
  private DeadLetters() {}

  /** As {@link #of(ConsumerRecord, String, Failure, String, int, Clock)} by the system's clock. */
  public static DeadLetter of(
      ConsumerRecord<byte[], byte[]> original,
      String service,
      Failure failure,
      String requestId,
      int attempts) {
    return of(original, service, failure, requestId, attempts, Clock.systemUTC());
  }

  /**
   * A dead letter that shares key and value bytes with {@code original}.
   *
   * @param service which service gives up
   * @param failure why
   * @param requestId the request it belongs to; null takes it from the header {@code lf-request}
   * @param attempts attempts made, 0 if none could be
   * @param clock says when
   */
  public static DeadLetter of(
      ConsumerRecord<byte[], byte[]> original,
      String service,
      Failure failure,
      String requestId,
      int attempts,
      Clock clock) {
    String request =
        requestId != null
            ? requestId
            : LensflowHeaders.get(original.headers(), LensflowHeaders.REQUEST).orElse("");
    return DeadLetter.newBuilder()
        .setTopic(original.topic())
        .setPartition(original.partition())
        .setOffset(original.offset())
        .setTimestamp(Instant.ofEpochMilli(Math.max(0, original.timestamp())))
        .setKey(wrap(original.key()))
        .setValue(wrap(original.value()))
        .setHeaders(headers(original))
        .setService(service)
        .setRequestId(request)
        .setFailure(failure)
        .setAttempts(attempts)
        .setProducedAt(clock.instant())
        .build();
  }

  /** The original's key as the dead letter's own, or null: keys of this system are UTF-8 text. */
  public static String keyOf(ConsumerRecord<byte[], byte[]> original) {
    byte[] key = original.key();
    return key == null ? null : new String(key, StandardCharsets.UTF_8);
  }

  private static List<RecordHeader> headers(ConsumerRecord<byte[], byte[]> original) {
    List<RecordHeader> headers = new ArrayList<>();
    for (Header header : original.headers()) {
      headers.add(
          RecordHeader.newBuilder().setKey(header.key()).setValue(wrap(header.value())).build());
    }
    return headers;
  }

  private static ByteBuffer wrap(byte[] bytes) {
    return bytes == null ? null : ByteBuffer.wrap(bytes);
  }
}
