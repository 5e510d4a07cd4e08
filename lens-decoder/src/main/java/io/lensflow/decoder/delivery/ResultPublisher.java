package io.lensflow.decoder.delivery;

import io.lensflow.decoder.DecoderMetrics;
import io.lensflow.decoder.loss.Loss;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Moves what is finished out of the ledgers into transactions, the finished prefix of each
 * partition and the reports of its holes, and commits them. Not thread-safe: the loop owns it.
 */
final class ResultPublisher {
  private final Assignment assignment;
  private final ResultTransaction transaction;
  private final EntryWriter writer;
  private final HoleAudits audits;
  private final Supplier<ConsumerGroupMetadata> group;
  private final DecoderMetrics metrics;
  private final LongSupplier nanoClock;

  /**
   * @param group the consumer's standing in its group, which fences a decoder that has lost it
   */
  ResultPublisher(
      Assignment assignment,
      ResultTransaction transaction,
      EntryWriter writer,
      HoleAudits audits,
      Supplier<ConsumerGroupMetadata> group,
      DecoderMetrics metrics,
      LongSupplier nanoClock) {
    this.assignment = assignment;
    this.transaction = transaction;
    this.writer = writer;
    this.audits = audits;
    this.group = group;
    this.metrics = metrics;
    this.nanoClock = nanoClock;
  }

  /**
   * Publishes what is finished, in as many transactions as its size needs; leaves the last one open
   * while it may grow.
   *
   * @throws org.apache.kafka.common.KafkaException if Kafka refuses; then all that is not committed
   *     is to be forgotten
   */
  void publish() {
    audits.turn(assignment.ledgers());
    boolean more;
    do {
      more = fill();
      if (transaction.isDue(assignment.isIdle())) {
        commit();
      }
    } while (more);
  }

  /**
   * Publishes and commits all that is finished.
   *
   * @throws org.apache.kafka.common.KafkaException as {@link #publish}
   */
  void publishAll() {
    boolean more;
    do {
      more = fill();
      if (!transaction.isEmpty()) {
        commit();
      }
    } while (more);
  }

  /** Moves finished entries into the transaction; true if it is full and there may be more. */
  private boolean fill() {
    for (PartitionLedger ledger : assignment.ledgers()) {
      audits.due(ledger.partition()).ifPresent(audit -> report(ledger, audit));
      Optional<LedgerEntry> entry = ledger.takeDone();
      while (entry.isPresent()) {
        for (ProducerRecord<String, SpecificRecord> record : writer.write(ledger, entry.get())) {
          transaction.send(record);
        }
        progress(ledger);
        if (transaction.isFull()) {
          return true;
        }
        entry = ledger.takeDone();
      }
    }
    return false;
  }

  private void report(PartitionLedger ledger, HoleAudit audit) {
    for (Loss loss : audit.report()) {
      writer.write(loss, audit.hole()).forEach(transaction::send);
    }
    ledger.publishedNote(audits.noteAfter(audit, ledger.publishedNote()));
    progress(ledger);
  }

  private void progress(PartitionLedger ledger) {
    transaction.progress(ledger.partition(), ledger.publishedOffset(), ledger.publishedNote());
  }

  private void commit() {
    long start = nanoClock.getAsLong();
    Set<TopicPartition> committed = transaction.commit(group.get());
    committed.forEach(partition -> assignment.ledger(partition).committed());
    audits.committed(committed);
    metrics.committed(nanoClock.getAsLong() - start);
  }
}
