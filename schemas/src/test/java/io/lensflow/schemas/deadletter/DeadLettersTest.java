package io.lensflow.schemas.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.DeadLetter;
import io.lensflow.records.Failure;
import io.lensflow.schemas.serde.LensflowHeaders;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class DeadLettersTest {
  private static final Failure FAILURE =
      Failure.newBuilder().setCode("UNDECODABLE").setMessage("no record").build();
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  @Test
  void shouldKeepTheOriginalWholeWhenItIsGivenUp() {
    ConsumerRecord<byte[], byte[]> original = record("key".getBytes(UTF_8), new byte[] {9, 8});
    original.headers().add(LensflowHeaders.REQUEST, "r-1".getBytes(UTF_8));
    original.headers().add("other", null);

    DeadLetter letter =
        DeadLetters.of(original, "worker", FAILURE, null, 3, Clock.fixed(NOW, ZoneOffset.UTC));

    assertThat(letter.getTopic()).isEqualTo("prompt-requests");
    assertThat(letter.getPartition()).isEqualTo(2);
    assertThat(letter.getOffset()).isEqualTo(77);
    assertThat(letter.getTimestamp()).isEqualTo(Instant.ofEpochMilli(1234));
    assertThat(letter.getKey()).isEqualTo(ByteBuffer.wrap("key".getBytes(UTF_8)));
    assertThat(letter.getValue()).isEqualTo(ByteBuffer.wrap(new byte[] {9, 8}));
    assertThat(letter.getHeaders()).extracting("key").containsExactly("lf-request", "other");
    assertThat(letter.getHeaders().get(1).getValue()).isNull();
    assertThat(letter.getService()).isEqualTo("worker");
    assertThat(letter.getRequestId()).isEqualTo("r-1");
    assertThat(letter.getFailure()).isEqualTo(FAILURE);
    assertThat(letter.getAttempts()).isEqualTo(3);
    assertThat(letter.getProducedAt()).isEqualTo(NOW);
    assertThat(DeadLetters.keyOf(original)).isEqualTo("key");
  }

  @Test
  void shouldKeepNullsWhenTheOriginalHasThem() {
    ConsumerRecord<byte[], byte[]> original = record(null, null);

    DeadLetter letter = DeadLetters.of(original, "decoder", FAILURE, null, 0);

    assertThat(letter.getKey()).isNull();
    assertThat(letter.getValue()).isNull();
    assertThat(letter.getRequestId()).isEmpty();
    assertThat(DeadLetters.keyOf(original)).isNull();
  }

  private static ConsumerRecord<byte[], byte[]> record(byte[] key, byte[] value) {
    return new ConsumerRecord<>(
        "prompt-requests",
        2,
        77,
        1234,
        TimestampType.LOG_APPEND_TIME,
        0,
        0,
        key,
        value,
        new RecordHeaders(),
        Optional.empty());
  }
}
