package io.lensflow.ingest.stream;

import io.lensflow.schemas.serde.LensflowHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * Tells a request's records from others without decoding them: by the header {@code lf-request},
 * or, where a producer set none, by the key. Immutable and thread-safe.
 */
final class RequestFilter {
  private final byte[] requestId;

  RequestFilter(String requestId) {
    this.requestId = requestId.getBytes(StandardCharsets.UTF_8);
  }

  boolean accepts(ConsumerRecord<byte[], byte[]> record) {
    return record.value() != null && Arrays.equals(requestOf(record), requestId);
  }

  /** UTF-8 bytes of the request's id; null where the record says none. */
  static byte[] requestOf(ConsumerRecord<byte[], byte[]> record) {
    Header header = record.headers().lastHeader(LensflowHeaders.REQUEST);
    return header == null || header.value() == null ? record.key() : header.value();
  }
}
