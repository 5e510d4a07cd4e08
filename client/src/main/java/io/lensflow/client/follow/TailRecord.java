package io.lensflow.client.follow;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.serde.LensflowHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A record of a request-keyed topic, known by its headers and decoded only when asked. Not
 * thread-safe.
 */
public final class TailRecord {
  private final ResultTopic kind;
  private final ConsumerRecord<byte[], byte[]> record;
  private final RecordDecoder decoder;
  private SpecificRecord value;

  TailRecord(ResultTopic kind, ConsumerRecord<byte[], byte[]> record, RecordDecoder decoder) {
    this.kind = kind;
    this.record = record;
    this.decoder = decoder;
  }

  /** Which topic it is of. */
  public ResultTopic kind() {
    return kind;
  }

  /** Partition, the same number in every request-keyed topic. */
  public int partition() {
    return record.partition();
  }

  /** Offset in its partition. */
  public long offset() {
    return record.offset();
  }

  /** Size of the value on the wire, in bytes. */
  public int bytes() {
    return record.value().length;
  }

  /** The request: header {@code lf-request}, else the key. */
  public String requestId() {
    return header(LensflowHeaders.REQUEST)
        .orElseGet(
            () -> record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8));
  }

  /** The model: header {@code lf-model}, empty if the producer set none. */
  public String model() {
    return header(LensflowHeaders.MODEL).orElse("");
  }

  /** The attempt: header {@code lf-attempt}, else from the value. */
  public String attemptId() {
    return header(LensflowHeaders.ATTEMPT)
        .orElseGet(
            () ->
                switch (kind) {
                  case COMPLETIONS -> completion().getAttemptId();
                  case LENS_RESULTS -> result().getAttemptId();
                  case ACTIVATIONS -> chunk().getAttemptId();
                });
  }

  /** The value of a record of {@link ResultTopic#COMPLETIONS}. */
  public CompletionEvent completion() {
    return (CompletionEvent) value();
  }

  /** The value of a record of {@link ResultTopic#LENS_RESULTS}. */
  public LensResult result() {
    return (LensResult) value();
  }

  /** The value of a record of {@link ResultTopic#ACTIVATIONS}. */
  public ActivationChunk chunk() {
    return (ActivationChunk) value();
  }

  private SpecificRecord value() {
    if (value == null) {
      value = decoder.decode(kind, record.topic(), record.value());
    }
    return value;
  }

  private Optional<String> header(String name) {
    return LensflowHeaders.get(record.headers(), name);
  }

  @Override
  public String toString() {
    return "%s-%d@%d".formatted(record.topic(), record.partition(), record.offset());
  }
}
