package io.lensflow.decoder.delivery;

import io.lensflow.records.DeadLetter;
import io.lensflow.records.LensResult;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * The transaction that holds results, gaps, dead letters and the offsets they come from. It is
 * begun by the first of them and committed when it is old or large enough, or when nothing else is
 * on its way. Not thread-safe: the loop owns it, producer included.
 *
 * <p>Errors have one cure: {@link #discard} the producer and {@link #open} another under the same
 * transactional id, which aborts whatever the first one left.
 */
final class ResultTransaction implements AutoCloseable {
  /** Offsets without results, of skipped records, are in no hurry. */
  private static final Duration OFFSETS_ONLY_AGE = Duration.ofSeconds(1);

  private final Supplier<Producer<String, SpecificRecord>> producers;
  private final long maxAgeNanos;
  private final long maxBytes;
  private final LongSupplier nanoClock;
  private final Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
  private Producer<String, SpecificRecord> producer;
  private boolean begun;
  private long firstNanos;
  private long bytes;

  /**
   * @param producers makes transactional producers, all with the same transactional id
   * @param maxAge longest time between the first result and the commit
   * @param maxBytes size, roughly, at which it is committed
   * @param nanoClock the loop's clock
   */
  ResultTransaction(
      Supplier<Producer<String, SpecificRecord>> producers,
      Duration maxAge,
      long maxBytes,
      LongSupplier nanoClock) {
    this.producers = producers;
    this.maxAgeNanos = maxAge.toNanos();
    this.maxBytes = maxBytes;
    this.nanoClock = nanoClock;
  }

  /** Whether there is a producer to work with. */
  boolean isOpen() {
    return producer != null;
  }

  /** Makes a producer and ends what its predecessor left open. */
  void open() {
    Producer<String, SpecificRecord> made = producers.get();
    try {
      made.initTransactions();
    } catch (RuntimeException e) {
      made.close(Duration.ZERO);
      throw e;
    }
    producer = made;
  }

  /** Adds a record. */
  void send(ProducerRecord<String, SpecificRecord> record) {
    if (!begun) {
      producer.beginTransaction();
      begun = true;
      start();
    }
    // A failure to send comes out of the commit.
    producer.send(record);
    bytes += roughBytes(record.value());
  }

  /**
   * Everything of the partition before {@code offset} is in this transaction or an earlier one.
   *
   * @param note what is to be known with it
   */
  void progress(TopicPartition partition, long offset, OffsetNote note) {
    start();
    offsets.put(partition, new OffsetAndMetadata(offset, note.encode()));
  }

  private void start() {
    if (offsets.isEmpty() && bytes == 0) {
      firstNanos = nanoClock.getAsLong();
    }
  }

  /** Whether it holds anything that somebody waits for. */
  boolean hasResults() {
    return begun;
  }

  /** Whether no more should be added before the commit. */
  boolean isFull() {
    return bytes >= maxBytes;
  }

  /**
   * Whether it is time to commit.
   *
   * @param idle whether nothing else is on its way into it
   */
  boolean isDue(boolean idle) {
    if (offsets.isEmpty()) {
      return false;
    }
    long age = nanoClock.getAsLong() - firstNanos;
    return begun ? idle || isFull() || age >= maxAgeNanos : age >= OFFSETS_ONLY_AGE.toNanos();
  }

  /**
   * Commits, and returns the partitions of which it was.
   *
   * @throws org.apache.kafka.common.KafkaException if it cannot; then {@link #discard}
   */
  Set<TopicPartition> commit(ConsumerGroupMetadata group) {
    if (!begun) {
      producer.beginTransaction();
      begun = true;
    }
    producer.sendOffsetsToTransaction(Map.copyOf(offsets), group);
    producer.commitTransaction();
    Set<TopicPartition> committed = Set.copyOf(offsets.keySet());
    clear();
    return committed;
  }

  /** Whether there is anything to commit. */
  boolean isEmpty() {
    return offsets.isEmpty();
  }

  /** Gives up the transaction, and the producer with it. */
  void discard() {
    clear();
    if (producer != null) {
      producer.close(Duration.ZERO);
      producer = null;
    }
  }

  /** Aborts what is open, so that readers are not held up until it times out. */
  @Override
  public void close() {
    try {
      if (producer != null && begun) {
        producer.abortTransaction();
      }
    } finally {
      discard();
    }
  }

  private void clear() {
    offsets.clear();
    begun = false;
    bytes = 0;
  }

  /** Close enough to decide when to commit, without serialising twice. */
  private static long roughBytes(SpecificRecord value) {
    if (value instanceof LensResult result) {
      long perToken = 24;
      long perRow = 16;
      long rows = (long) result.getLayers().size() * result.getPositions().size();
      long tokens = result.getTopIds().size();
      tokens += result.getTargets() == null ? 0 : result.getTargets().getIds().size();
      return 512 + perToken * tokens + perRow * rows;
    }
    if (value instanceof DeadLetter letter && letter.getValue() != null) {
      return 512 + letter.getValue().remaining();
    }
    return 512;
  }
}
