package io.lensflow.decoder.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LogScanTest {
  private static final String TOPIC = "activations";
  private static final TopicPartition ZERO = new TopicPartition(TOPIC, 0);
  private static final TopicPartition ONE = new TopicPartition(TOPIC, 1);

  /** A record a second: the one at offset n was appended at second n. */
  private final MockConsumer<byte[], byte[]> consumer =
      new MockConsumer<>("none") {
        @Override
        public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
            Map<TopicPartition, Long> times) {
          Map<TopicPartition, OffsetAndTimestamp> found = new HashMap<>();
          times.forEach(
              (partition, millis) -> {
                long offset =
                    Math.max(millis / 1000, beginningOffsets(List.of(partition)).get(partition));
                long end = endOffsets(List.of(partition)).get(partition);
                found.put(
                    partition, offset < end ? new OffsetAndTimestamp(offset, offset * 1000) : null);
              });
          return found;
        }
      };

  @BeforeEach
  void fill() {
    Node node = new Node(0, "localhost", 9092);
    consumer.updatePartitions(
        TOPIC,
        List.of(
            new PartitionInfo(TOPIC, 0, node, new Node[] {node}, new Node[] {node}),
            new PartitionInfo(TOPIC, 1, node, new Node[] {node}, new Node[] {node})));
    consumer.updateBeginningOffsets(Map.of(ZERO, 2L, ONE, 0L));
    consumer.updateEndOffsets(Map.of(ZERO, 6L, ONE, 3L));
  }

  @Test
  void shouldEndAtWhatWasThereWhenItBegan() {
    LogScan scan = LogScan.open(consumer, TOPIC, LogRange.kept());
    assertThat(scan.total()).isEqualTo(7);
    append(ZERO, 2, 7);
    append(ONE, 0, 3);

    assertThat(read(scan)).containsExactly("0:2", "0:3", "0:4", "0:5", "1:0", "1:1", "1:2");
    assertThat(scan.remaining()).isZero();
    assertThat(scan.holes()).isEmpty();
    assertThat(consumer.committed(Set.of(ZERO, ONE))).isEmpty();
  }

  @Test
  void shouldReadBetweenTwoTimesAndOnePartitionOnly() {
    LogScan scan =
        LogScan.open(
            consumer,
            TOPIC,
            LogRange.kept().from(Instant.ofEpochSecond(3)).to(Instant.ofEpochSecond(5)).in(0));
    append(ZERO, 3, 6);

    assertThat(scan.total()).isEqualTo(2);
    assertThat(read(scan)).containsExactly("0:3", "0:4");
  }

  @Test
  void shouldReadNothingFromATimeThatIsYetToCome() {
    LogScan scan = LogScan.open(consumer, TOPIC, LogRange.kept().from(Instant.ofEpochSecond(100)));

    assertThat(scan.isAtEnd()).isTrue();
  }

  @Test
  void shouldFollowTheLogFromItsEndWhenItIsLive() {
    LogScan scan = LogScan.open(consumer, TOPIC, LogRange.live());
    assertThat(scan.isAtEnd()).isFalse();
    append(ZERO, 6, 8);

    assertThat(scan.poll(Duration.ZERO)).extracting(ConsumerRecord::offset).containsExactly(6L, 7L);
    assertThat(scan.isAtEnd()).isFalse();
  }

  @Test
  void shouldNoteWhatWasDeletedBeforeItWasRead() {
    LogScan scan = LogScan.open(consumer, TOPIC, LogRange.kept());
    consumer.updateBeginningOffsets(Map.of(ZERO, 4L, ONE, 100L));
    append(ZERO, 4, 6);
    append(ONE, 100, 101);

    assertThat(read(scan)).containsExactly("0:4", "0:5");
    assertThat(scan.holes())
        .containsExactlyInAnyOrder(new LogScan.Hole(0, 2, 3), new LogScan.Hole(1, 0, 2));
    assertThat(scan.holes().get(0).records() + scan.holes().get(1).records()).isEqualTo(5);
  }

  @Test
  void shouldSayWhenTheTopicIsNotThere() {
    assertThatThrownBy(() -> LogScan.open(consumer, "elsewhere", LogRange.kept()))
        .isInstanceOf(UnknownTopicOrPartitionException.class)
        .hasMessageContaining("'elsewhere'");
    assertThat(consumer.closed()).isTrue();
  }

  private List<String> read(LogScan scan) {
    List<String> read = new ArrayList<>();
    for (int polls = 0; !scan.isAtEnd() && polls < 10; polls++) {
      scan.poll(Duration.ZERO)
          .forEach(record -> read.add(record.partition() + ":" + record.offset()));
    }
    assertThat(scan.isAtEnd()).isTrue();
    String[] sorted = read.toArray(String[]::new);
    Arrays.sort(sorted);
    return List.of(sorted);
  }

  private void append(TopicPartition partition, long from, long to) {
    consumer.schedulePollTask(
        () -> {
          for (long offset = from; offset < to; offset++) {
            consumer.addRecord(
                new ConsumerRecord<>(
                    TOPIC, partition.partition(), offset, new byte[0], new byte[0]));
          }
        });
  }
}
