package io.lensflow.steering.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.junit.jupiter.api.Test;

class ShortReadsTest {
  private static final TopicPartition PARTITION = new TopicPartition("t", 0);

  private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
  private final List<Long> seen = new ArrayList<>();

  ShortReadsTest() {
    consumer.assign(List.of(PARTITION));
    consumer.updateBeginningOffsets(Map.of(PARTITION, 0L));
    consumer.seek(PARTITION, 1);
  }

  @Test
  void shouldReadOnceToTheEnd() {
    consumer.addRecord(new ConsumerRecord<>("t", 0, 1, null, null));
    consumer.addRecord(new ConsumerRecord<>("t", 0, 2, null, null));
    ShortReads.toEnds(
        consumer, Map.of(PARTITION, 3L), Duration.ofSeconds(10), r -> seen.add(r.offset()));
    assertThat(seen).containsExactly(1L, 2L);
  }

  @Test
  void shouldSayThatItMayBeTriedAgainWhenTheBrokerIsTooSlow() {
    assertThatThrownBy(
            () ->
                ShortReads.toEnds(
                    consumer,
                    Map.of(PARTITION, 2L),
                    Duration.ofMillis(1),
                    r -> seen.add(r.offset())))
        .isInstanceOf(RetriableException.class)
        .hasMessageContaining("t-0");
  }

  @Test
  void shouldEndEarlyWhenTheReaderIsStopped() {
    ShortReads.Sink stopped =
        new ShortReads.Sink() {
          @Override
          public void take(ConsumerRecord<byte[], byte[]> record) {}

          @Override
          public void betweenPolls() {
            throw new IllegalStateException("stopped");
          }
        };
    assertThatThrownBy(
            () ->
                ShortReads.toEnds(consumer, Map.of(PARTITION, 2L), Duration.ofMinutes(1), stopped))
        .hasMessage("stopped");
  }
}
