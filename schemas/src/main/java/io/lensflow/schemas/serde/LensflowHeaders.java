package io.lensflow.schemas.serde;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * The headers of every record, so that consumers can filter without decoding. Values are UTF-8
 * text; a header without a value is left out. Stateless, thread-safe.
 */
public final class LensflowHeaders {
  /** The record's simple name, {@code .TYPE} appended where the record has a type. */
  public static final String TYPE = "lf-type";

  /** The request's id. */
  public static final String REQUEST = "lf-request";

  /** The attempt's UUID. */
  public static final String ATTEMPT = "lf-attempt";

  /** The model's served name. */
  public static final String MODEL = "lf-model";

  /** W3C trace context, carried from the request to its results. */
  public static final String TRACEPARENT = "traceparent";

  private LensflowHeaders() {}

  /**
   * A record ready to send, with all headers derived from the value's fields {@code type}, {@code
   * requestId}, {@code attemptId} and {@code model}, as far as it has them.
   *
   * @param key may be null
   * @param value not null; a tombstone has no headers to derive
   * @param traceparent may be null
   */
  public static <T extends SpecificRecord> ProducerRecord<String, T> record(
      String topic, String key, T value, String traceparent) {
    ProducerRecord<String, T> record = new ProducerRecord<>(topic, key, value);
    Headers headers = record.headers();
    add(headers, TYPE, typeOf(value));
    add(headers, REQUEST, field(value, "requestId"));
    add(headers, ATTEMPT, field(value, "attemptId"));
    add(headers, MODEL, field(value, "model"));
    add(headers, TRACEPARENT, traceparent);
    return record;
  }

  /** The last value of a header; empty if it is absent or null. */
  public static Optional<String> get(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null || header.value() == null
        ? Optional.empty()
        : Optional.of(new String(header.value(), StandardCharsets.UTF_8));
  }

  private static String typeOf(SpecificRecord value) {
    String name = value.getSchema().getName();
    String type = field(value, "type");
    return type == null ? name : name + "." + type;
  }

  private static String field(SpecificRecord value, String name) {
    Schema.Field field = value.getSchema().getField(name);
    Object content = field == null ? null : value.get(field.pos());
    return content == null ? null : content.toString();
  }

  private static void add(Headers headers, String name, String value) {
    if (value != null && !value.isEmpty()) {
      headers.add(name, value.getBytes(StandardCharsets.UTF_8));
    }
  }
}
