package io.lensflow.decoder.loss;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;

/**
 * Reads a stretch of a partition, to the end that it has when asked. One thread uses it; only
 * {@link #stop} is for others.
 *
 * <p>The end is that of all records, though only committed ones are read: a transaction that is
 * still open below it is waited for, so that whatever was written before the question counts.
 */
public final class RangeReader implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(200);

  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final Supplier<Admin> admins;
  private Consumer<byte[], byte[]> consumer;
  private Admin admin;
  private volatile boolean stopped;

  /**
   * Neither client is made before the first use.
   *
   * @param consumers makes a {@code read_committed} consumer without group that begins at the
   *     earliest record where an offset is gone
   */
  public RangeReader(Supplier<Consumer<byte[], byte[]>> consumers, Supplier<Admin> admins) {
    this.consumers = consumers;
    this.admins = admins;
  }

  /** Offset of the first record not older than a time; negative times are the beginning. */
  long offsetAt(TopicPartition partition, long millis) {
    if (millis < 0) {
      return consumer().beginningOffsets(List.of(partition)).get(partition);
    }
    // Before the question: what is written meanwhile must not be passed over.
    long committedEnd = consumer().endOffsets(List.of(partition)).get(partition);
    OffsetAndTimestamp first = consumer().offsetsForTimes(Map.of(partition, millis)).get(partition);
    return first == null ? committedEnd : first.offset();
  }

  /** The offset after the last record, be it committed or not. */
  long end(TopicPartition partition) {
    if (admin == null) {
      admin = admins.get();
    }
    try {
      return admin
          .listOffsets(Map.of(partition, OffsetSpec.latest()))
          .partitionResult(partition)
          .get()
          .offset();
    } catch (ExecutionException e) {
      throw new KafkaException("the end of " + partition + " cannot be asked for", e.getCause());
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  /** Hands on every record from an offset to the end; returns where to read on. */
  long read(
      TopicPartition partition,
      long from,
      java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> sink) {
    long end = end(partition);
    if (from >= end) {
      return from;
    }
    consumer().assign(List.of(partition));
    consumer().seek(partition, from);
    long next = from;
    while (next < end) {
      if (stopped) {
        throw new WakeupException();
      }
      consumer().poll(POLL).forEach(sink);
      next = consumer().position(partition);
    }
    return next;
  }

  private Consumer<byte[], byte[]> consumer() {
    if (consumer == null) {
      consumer = consumers.get();
    }
    return consumer;
  }

  /** Ends a {@link #read}, now and for ever. Safe from any thread. */
  void stop() {
    stopped = true;
  }

  @Override
  public void close() {
    if (admin != null) {
      admin.close(Duration.ZERO);
    }
    if (consumer != null) {
      consumer.close();
    }
  }
}
