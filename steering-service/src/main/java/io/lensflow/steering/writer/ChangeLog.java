package io.lensflow.steering.writer;

import io.lensflow.service.KafkaClients;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * Writes changes, one transaction each. All instances use the same transactional id: opening a log
 * fences every one opened before and aborts what it left unfinished, so at any time only the log
 * opened last can commit. Not thread-safe.
 */
final class ChangeLog implements AutoCloseable {
  private final Producer<String, SpecificRecord> producer;

  private ChangeLog(Producer<String, SpecificRecord> producer) {
    this.producer = producer;
  }

  /**
   * Opens the log: when this returns, no transaction of a predecessor is pending.
   *
   * @param transactionalId the same for all instances
   * @param transactionTimeout how long a paused writer's open transaction can hold up readers
   */
  static ChangeLog open(KafkaClients clients, String transactionalId, Duration transactionTimeout) {
    int timeoutMillis = Math.toIntExact(transactionTimeout.toMillis());
    Map<String, Object> needs = new HashMap<>();
    needs.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
    needs.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, timeoutMillis);
    // A transaction that waits longer than its own timeout is aborted by the broker anyway.
    needs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, timeoutMillis);
    needs.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Math.max(1, timeoutMillis / 2));
    needs.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, timeoutMillis);
    needs.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    // The coordinator answers "not yet" right after a commit; the default pause of 100 ms is far
    // longer than it takes.
    needs.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 5);
    // The topics' own limits decide, not the client's default of 1 MiB.
    needs.put(
        ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
        2 * clients.settings().catalogue().sizes().maxRecordBytes());
    Producer<String, SpecificRecord> producer = clients.producer(needs);
    try {
      producer.initTransactions();
    } catch (RuntimeException e) {
      producer.close(Duration.ZERO);
      throw e;
    }
    return new ChangeLog(producer);
  }

  /**
   * Writes records, and offsets where there are any, in one transaction.
   *
   * @param consumed null for none
   * @return the next offset of each partition written to
   * @throws NotWriterException if another log was opened or the broker is away; nothing was
   *     written, and this log must be closed
   * @throws OutcomeUnknownException if the commit was not answered; this log must be closed
   * @throws RuntimeException of other kinds if records cannot be written as they are; nothing was
   *     written, and the log goes on
   */
  Map<TopicPartition, Long> commit(
      List<ProducerRecord<String, SpecificRecord>> records, Consumed consumed) {
    Map<TopicPartition, Long> next = new HashMap<>();
    try {
      producer.beginTransaction();
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (ProducerRecord<String, SpecificRecord> record : records) {
        sent.add(producer.send(record));
      }
      if (consumed != null) {
        producer.sendOffsetsToTransaction(consumed.offsets(), consumed.group());
      }
      producer.flush();
      for (Future<RecordMetadata> future : sent) {
        RecordMetadata written = get(future);
        next.merge(
            new TopicPartition(written.topic(), written.partition()),
            written.offset() + 1,
            Math::max);
      }
    } catch (RuntimeException e) {
      abort(e);
      throw e;
    }
    try {
      producer.commitTransaction();
    } catch (RuntimeException e) {
      throw new OutcomeUnknownException(e);
    }
    return next;
  }

  private void abort(RuntimeException cause) {
    try {
      producer.abortTransaction();
    } catch (RuntimeException e) {
      e.addSuppressed(cause);
      throw new NotWriterException("this instance can no longer write: " + cause.getMessage(), e);
    }
  }

  private static RecordMetadata get(Future<RecordMetadata> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException runtime
          ? runtime
          : new KafkaException(e.getCause());
    }
  }

  /** Gives up at once; the broker aborts what is unfinished when the next log is opened. */
  @Override
  public void close() {
    producer.close(Duration.ZERO);
  }
}
