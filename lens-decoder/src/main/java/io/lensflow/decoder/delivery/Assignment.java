package io.lensflow.decoder.delivery;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The partitions that this decoder has, each with its ledger, and the consumer's place in them. Not
 * thread-safe: the loop owns it.
 */
final class Assignment {
  private static final Logger log = LoggerFactory.getLogger(Assignment.class);

  private final Consumer<byte[], byte[]> consumer;
  private final Map<TopicPartition, PartitionLedger> ledgers = new HashMap<>();

  Assignment(Consumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
  }

  Set<TopicPartition> partitions() {
    return ledgers.keySet();
  }

  Collection<PartitionLedger> ledgers() {
    return ledgers.values();
  }

  PartitionLedger ledger(TopicPartition partition) {
    return ledgers.get(partition);
  }

  /** Bytes of chunks that are not yet published. */
  long heldBytes() {
    return ledgers.values().stream().mapToLong(PartitionLedger::heldBytes).sum();
  }

  /** Whether nothing is on its way to be published. */
  boolean isIdle() {
    return ledgers.values().stream().allMatch(PartitionLedger::isEmpty);
  }

  /** Records that the broker has and the consumer has not read. */
  long lag() {
    return ledgers.keySet().stream().mapToLong(p -> consumer.currentLag(p).orElse(0)).sum();
  }

  /** Takes in new partitions, each from its committed offset on. */
  void add(Collection<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(Set.copyOf(partitions));
    Map<TopicPartition, Long> next = new HashMap<>();
    for (TopicPartition partition : partitions) {
      OffsetAndMetadata offset = committed.get(partition);
      next.put(partition, offset == null ? null : offset.offset());
    }
    position(next, committed);
  }

  /** Puts the consumer back where partitions still have records. */
  void reposition(Collection<TopicPartition> outOfRange) {
    Map<TopicPartition, Long> next = new HashMap<>();
    outOfRange.forEach(partition -> next.put(partition, ledgers.get(partition).nextOffset()));
    position(next, Map.of());
  }

  /** Notes that offsets are missing. */
  void hole(PartitionLedger ledger, LedgerEntry.Hole hole) {
    log.error(
        "{}: records {} … {} are gone and were never decoded",
        ledger.partition(),
        hole.firstOffset(),
        hole.lastOffset());
    ledger.add(hole);
  }

  /** Forgets all that is not committed and goes back to the committed offsets. */
  void rewind() {
    for (PartitionLedger ledger : ledgers.values()) {
      ledger.rewind();
      consumer.seek(ledger.partition(), ledger.nextOffset());
    }
  }

  /** Forgets partitions that are no longer ours. */
  void remove(Collection<TopicPartition> partitions) {
    for (TopicPartition partition : Set.copyOf(partitions)) {
      PartitionLedger ledger = ledgers.remove(partition);
      if (ledger != null) {
        ledger.drop();
      }
    }
  }

  /** Puts the consumer where each partition is to be read on, and notices what is gone. */
  private void position(
      Map<TopicPartition, Long> next, Map<TopicPartition, OffsetAndMetadata> committed) {
    Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(next.keySet());
    Map<TopicPartition, Long> ends = consumer.endOffsets(next.keySet());
    next.forEach(
        (partition, offset) -> {
          StartOffset start =
              StartOffset.of(offset, beginnings.get(partition), ends.get(partition));
          long first = start.hole().isEmpty() ? start.offset() : offset;
          PartitionLedger ledger =
              ledgers.computeIfAbsent(
                  partition,
                  absent -> new PartitionLedger(absent, first, note(committed.get(absent))));
          position(ledger, start);
        });
  }

  private void position(PartitionLedger ledger, StartOffset start) {
    if (!start.log().isEmpty()) {
      log.warn("{}: {}", ledger.partition(), start.log());
    }
    start.hole().ifPresent(hole -> hole(ledger, hole));
    if (ledger.nextOffset() != start.offset()) {
      ledger.startOver(start.offset());
    }
    consumer.seek(ledger.partition(), start.offset());
  }

  private static OffsetNote note(OffsetAndMetadata committed) {
    return committed == null ? OffsetNote.NONE : OffsetNote.decode(committed.metadata());
  }
}
