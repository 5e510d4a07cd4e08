package io.lensflow.decoder.delivery;

import io.lensflow.decoder.DecoderMetrics;
import io.lensflow.decoder.DecoderSettings;
import io.lensflow.decoder.batch.KernelThread;
import io.lensflow.decoder.batch.LensWork;
import io.lensflow.decoder.batch.RowBatch;
import io.lensflow.decoder.batch.RowBatcher;
import io.lensflow.decoder.batch.WorkPlanner;
import io.lensflow.decoder.lens.ResultWriter;
import io.lensflow.decoder.lens.TokenTexts;
import io.lensflow.decoder.loss.LossFinder;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Consume, decode, produce, exactly once. One thread runs it and owns the consumer, the transaction
 * and all state; only {@link #stop}, {@link #standing} and {@link #failure} are for others.
 *
 * <p>One turn: poll (never for long while work is on its way), take records in, settle batches that
 * came back, hand over batches that are ready, publish the finished prefix of each partition,
 * commit if it is time. Backpressure pauses the partitions and goes on polling, so that however
 * slow the head is the membership in the group stays.
 *
 * <p>Whatever goes wrong with Kafka has one cure: forget all that is not committed, go back to the
 * committed offsets, and start a new transaction. A partition that is taken away is first committed
 * as far as it is finished; what the kernel still holds of it is dropped when it comes back.
 */
public final class DecodeLoop implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(DecodeLoop.class);

  /** How long a poll may last while a batch, a row or a transaction waits for the loop. */
  private static final Duration BUSY_POLL = Duration.ofMillis(5);

  private static final Duration IDLE_POLL = Duration.ofMillis(100);

  /** Wait after an error of Kafka's or the registry's. */
  private static final Duration RETRY_DELAY = Duration.ofMillis(500);

  /** How the loop stands: whether it takes part in its group, and with which share. */
  public record Standing(boolean joined, int partitions) {}

  private final Consumer<byte[], byte[]> consumer;
  private final ResultTransaction transaction;
  private final ChunkIntake intake;
  private final RowBatcher batcher;
  private final KernelThread kernel;
  private final LossFinder losses;
  private final HoleAudits audits;
  private final ResultPublisher publisher;
  private final DecoderMetrics metrics;
  private final DecoderSettings settings;
  private final String topic;
  private final LongSupplier nanoClock;
  private final Assignment assignment;
  private long retryAtNanos;
  private boolean waitsForRetry;
  private volatile boolean stopping;
  private volatile Standing standing = new Standing(false, 0);
  private volatile Throwable failure;

  /**
   * The loop takes over the Kafka clients and closes them at its end, but not the kernel thread.
   *
   * @param settings sizes and times
   * @param topics names of topics
   * @param planner what is to be computed of a chunk
   * @param kernel where batches are decoded
   * @param texts text of single tokens
   * @param kafka where records come from and go to
   * @param metrics what operators see
   * @param nanoClock as {@link System#nanoTime}
   */
  public DecodeLoop(
      DecoderSettings settings,
      TopicCatalogue topics,
      WorkPlanner planner,
      KernelThread kernel,
      TokenTexts texts,
      KafkaEnds kafka,
      DecoderMetrics metrics,
      LongSupplier nanoClock) {
    this.settings = settings;
    this.topic = topics.activations();
    this.kernel = kernel;
    this.metrics = metrics;
    this.nanoClock = nanoClock;
    consumer = kafka.consumer();
    losses = kafka.losses();
    assignment = new Assignment(consumer);
    transaction =
        new ResultTransaction(
            kafka.producers(), settings.transactionAge(), settings.transactionBytes(), nanoClock);
    intake = new ChunkIntake(planner, settings.maxTopK(), kafka.deserializer());
    batcher = new RowBatcher(settings.batchRows(), settings.batchDeadline());
    audits = new HoleAudits(losses, nanoClock);
    EntryWriter writer =
        new EntryWriter(
            topics,
            planner.checkpoint(),
            new ResultWriter(texts, settings.maxResultBytes(), Clock.systemUTC()),
            metrics);
    publisher =
        new ResultPublisher(
            assignment, transaction, writer, audits, consumer::groupMetadata, metrics, nanoClock);
  }

  @Override
  public void run() {
    try {
      begin();
      while (!stopping) {
        turn();
      }
      commitFinished();
    } catch (Throwable e) {
      // Errors too: whoever watches over this loop must learn that it is gone.
      failure = e;
      log.error("the decoder's loop stops", e);
    } finally {
      end();
    }
  }

  /** Closes the Kafka clients of a loop that never ran. */
  public void close() {
    end();
  }

  /** Asks the loop to commit what is finished and to end. Safe from any thread. */
  public void stop() {
    stopping = true;
    consumer.wakeup();
  }

  /** Whether the loop takes part in its group. Safe from any thread. */
  public Standing standing() {
    return standing;
  }

  /** Why the loop ended by itself; null if it did not. Safe from any thread. */
  public Throwable failure() {
    return failure;
  }

  /** Joins the group. Apart from {@link #run}, only tests call it. */
  void begin() {
    retryAt(nanoClock.getAsLong());
    consumer.subscribe(List.of(topic), new Rebalance());
  }

  /** One round; see the class comment. Apart from {@link #run}, only tests call it. */
  void turn() {
    if (kernel.failure() != null) {
      throw new IllegalStateException("the kernel thread has stopped", kernel.failure());
    }
    reopenIfTime();
    pauseOrResume();
    takeIn(poll());
    settle();
    handOver();
    if (transaction.isOpen()) {
      publish();
    }
    metrics.standing(assignment.lag(), assignment.heldBytes());
    metrics.waiting(batcher.waitingRows(), batcher.oldestAge(nanoClock.getAsLong()).orElse(0));
  }

  private ConsumerRecords<byte[], byte[]> poll() {
    try {
      return consumer.poll(pollTime());
    } catch (OffsetOutOfRangeException e) {
      assignment.reposition(e.partitions());
      return ConsumerRecords.empty();
    } catch (WakeupException e) {
      // Only stop() wakes it up, and the loop sees that by itself.
      return ConsumerRecords.empty();
    }
  }

  private Duration pollTime() {
    OptionalLong due = batcher.nanosUntilDue(nanoClock.getAsLong());
    if (kernel.inFlight() > 0 || transaction.hasResults()) {
      return BUSY_POLL;
    }
    return due.isPresent() && due.getAsLong() < IDLE_POLL.toNanos()
        ? Duration.ofNanos(due.getAsLong())
        : IDLE_POLL;
  }

  private void takeIn(ConsumerRecords<byte[], byte[]> records) {
    for (TopicPartition partition : records.partitions()) {
      PartitionLedger ledger = assignment.ledger(partition);
      for (ConsumerRecord<byte[], byte[]> record : records.records(partition)) {
        try {
          takeIn(ledger, record);
        } catch (SchemaRegistryException e) {
          log.warn("{} waits, the schema registry does not answer: {}", partition, e.getMessage());
          consumer.seek(partition, ledger.nextOffset());
          retryLater();
          break;
        }
      }
    }
  }

  private void takeIn(PartitionLedger ledger, ConsumerRecord<byte[], byte[]> record) {
    if (record.offset() > ledger.nextOffset()) {
      assignment.hole(ledger, new LedgerEntry.Hole(ledger.nextOffset(), record.offset() - 1));
    }
    LedgerEntry entry = intake.take(record, ledger.epoch());
    ledger.add(entry);
    if (entry instanceof LedgerEntry.Decoding decoding) {
      long now = nanoClock.getAsLong();
      for (LensWork work : decoding.orders().works()) {
        batcher.add(work, now);
      }
    }
  }

  private void settle() {
    for (RowBatch batch = kernel.takeFinished(); batch != null; batch = kernel.takeFinished()) {
      batch.settle();
      metrics.batch(batch, settings.batchRows());
    }
  }

  private void handOver() {
    while (kernel.hasRoom()) {
      long now = nanoClock.getAsLong();
      Optional<RowBatch> batch = batcher.poll(now);
      if (batch.isEmpty()) {
        return;
      }
      metrics.queued(now - batch.get().oldestNanos());
      kernel.offer(batch.get());
    }
  }

  private void publish() {
    try {
      publisher.publish();
    } catch (KafkaException e) {
      recover(e);
    }
  }

  /** Commits what is finished, before partitions or the whole loop go. */
  private void commitFinished() {
    if (!transaction.isOpen()) {
      return;
    }
    settle();
    try {
      publisher.publishAll();
    } catch (KafkaException e) {
      recover(e);
    }
  }

  private void recover(RuntimeException cause) {
    log.warn(
        "a transaction was given up and its records are decoded again: {}. If this repeats, see"
            + " whether another decoder runs with the same instance-id",
        cause.toString());
    metrics.aborted();
    transaction.discard();
    audits.aborted();
    assignment.rewind();
    batcher.forgetDropped();
    retryLater();
  }

  private void retryLater() {
    retryAt(nanoClock.getAsLong() + RETRY_DELAY.toNanos());
  }

  /** Pauses everything until then; the first producer is made this way too. */
  private void retryAt(long nanos) {
    waitsForRetry = true;
    retryAtNanos = nanos;
  }

  private void reopenIfTime() {
    if (!waitsForRetry || nanoClock.getAsLong() - retryAtNanos < 0) {
      return;
    }
    waitsForRetry = false;
    if (!transaction.isOpen()) {
      try {
        transaction.open();
      } catch (KafkaException e) {
        log.warn("no transactional producer yet: {}", e.toString());
        retryLater();
      }
    }
  }

  private void pauseOrResume() {
    Set<TopicPartition> paused = consumer.paused();
    long held = assignment.heldBytes();
    boolean resume = held < settings.maxHeldBytes() / 2;
    if (waitsForRetry || held >= settings.maxHeldBytes() || (!paused.isEmpty() && !resume)) {
      // Again for all: partitions that came meanwhile are not paused.
      consumer.pause(assignment.partitions());
    } else if (!paused.isEmpty()) {
      consumer.resume(paused);
    }
  }

  private void drop(Collection<TopicPartition> partitions) {
    audits.forget(partitions);
    assignment.remove(partitions);
    batcher.forgetDropped();
    standing = new Standing(true, assignment.partitions().size());
  }

  private void end() {
    drop(assignment.partitions());
    standing = new Standing(false, 0);
    try (consumer;
        transaction;
        losses) {
      log.info("the decoder's loop has ended");
    } catch (KafkaException e) {
      log.warn("closing: {}", e.toString());
    }
  }

  private final class Rebalance implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      assignment.add(partitions);
      standing = new Standing(true, assignment.partitions().size());
      log.info("assigned {}, now {} partitions", partitions, assignment.partitions().size());
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      commitFinished();
      drop(partitions);
      log.info("revoked {}, now {} partitions", partitions, assignment.partitions().size());
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      drop(partitions);
      recover(new KafkaException("partitions " + partitions + " were lost to others"));
    }
  }
}
