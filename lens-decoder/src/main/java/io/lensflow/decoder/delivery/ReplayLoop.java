package io.lensflow.decoder.delivery;

import io.lensflow.decoder.DecoderMetrics;
import io.lensflow.decoder.batch.KernelThread;
import io.lensflow.decoder.batch.LensWork;
import io.lensflow.decoder.batch.RowBatch;
import io.lensflow.decoder.batch.RowBatcher;
import io.lensflow.decoder.batch.WorkPlanner;
import io.lensflow.decoder.lens.ResultWriter;
import io.lensflow.decoder.log.LogScan;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Decodes a part of the log again: the same checks, batches, results and gaps as {@link
 * DecodeLoop}, but from a {@link LogScan} instead of a consumer group, without transactions, and
 * only as fast as it is allowed to. At most one batch is with the kernel thread.
 *
 * <p>Memory: as much as {@value #MAX_HELD_BYTES} bytes of chunks, and what the scan fetches ahead.
 * Not thread-safe.
 */
public final class ReplayLoop {
  private static final long MAX_HELD_BYTES = 32L << 20;
  private static final Duration BATCH_DEADLINE = Duration.ofMillis(200);
  private static final Duration IDLE_POLL = Duration.ofMillis(200);
  private static final Duration BUSY_POLL = Duration.ofMillis(5);

  private final LogScan scan;
  private final Predicate<ConsumerRecord<byte[], byte[]>> wanted;
  private final ChunkIntake intake;
  private final RowBatcher batcher;
  private final KernelThread kernel;
  private final EntryWriter writer;
  private final TopicCatalogue topics;
  private final LongSupplier pauseNanos;
  private final Sink sink;
  private final LongSupplier nanoClock;
  private final Map<Integer, PartitionLedger> ledgers = new TreeMap<>();
  private int holesSeen;
  private boolean paused;
  private long pausedUntilNanos;

  /** Takes what is decoded, in order per request. */
  public interface Sink {
    /** A result or a gap, ready to be sent but for its topic. */
    void result(ProducerRecord<String, SpecificRecord> record, LensResult result);

    /** A turn of the loop is over. */
    void turned();
  }

  /**
   * @param scan the part of the log
   * @param wanted which of its records; all others are passed over undecoded
   * @param chunks reads them, and says which lenses they are looked at through
   * @param planner what is to be computed of a chunk
   * @param maxTopK largest k that may be asked for
   * @param kernel where batches are decoded
   * @param batchRows rows of a full batch
   * @param results makes records
   * @param topics names of topics
   * @param metrics counts
   * @param pauseNanos asked before each batch: how long to wait before it
   * @param sink where results go
   * @param nanoClock as {@link System#nanoTime}
   */
  public ReplayLoop(
      LogScan scan,
      Predicate<ConsumerRecord<byte[], byte[]>> wanted,
      Deserializer<ActivationChunk> chunks,
      WorkPlanner planner,
      int maxTopK,
      KernelThread kernel,
      int batchRows,
      ResultWriter results,
      TopicCatalogue topics,
      DecoderMetrics metrics,
      LongSupplier pauseNanos,
      Sink sink,
      LongSupplier nanoClock) {
    this.scan = scan;
    this.wanted = wanted;
    this.intake = new ChunkIntake(planner, maxTopK, chunks);
    this.batcher = new RowBatcher(batchRows, BATCH_DEADLINE);
    this.kernel = kernel;
    this.writer = new EntryWriter(topics, planner.checkpoint(), results, metrics);
    this.topics = topics;
    this.pauseNanos = pauseNanos;
    this.sink = sink;
    this.nanoClock = nanoClock;
  }

  /**
   * Runs to the end of the scan.
   *
   * @throws IllegalStateException if the kernel thread has stopped
   * @throws SchemaRegistryException if the registry cannot be asked
   */
  public void run() throws InterruptedException {
    while (!isDone()) {
      if (kernel.failure() != null) {
        throw new IllegalStateException("the kernel thread has stopped", kernel.failure());
      }
      read();
      settle();
      handOver();
      publish();
      sink.turned();
    }
  }

  private boolean isDone() {
    return scan.isAtEnd() && ledgers.values().stream().allMatch(PartitionLedger::isEmpty);
  }

  private void read() throws InterruptedException {
    long held = ledgers.values().stream().mapToLong(PartitionLedger::heldBytes).sum();
    boolean busy = kernel.inFlight() > 0 || batcher.waitingRows() > 0;
    if (scan.isAtEnd() || held >= MAX_HELD_BYTES) {
      Thread.sleep(BUSY_POLL.toMillis());
      return;
    }
    List<ConsumerRecord<byte[], byte[]>> records = scan.poll(busy ? BUSY_POLL : IDLE_POLL);
    List<LogScan.Hole> holes = scan.holes();
    for (LogScan.Hole hole : holes.subList(holesSeen, holes.size())) {
      ledger(hole.partition()).add(new LedgerEntry.Hole(hole.firstOffset(), hole.lastOffset()));
    }
    holesSeen = holes.size();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      if (wanted.test(record)) {
        take(record);
      }
    }
  }

  private void take(ConsumerRecord<byte[], byte[]> record) {
    PartitionLedger ledger = ledger(record.partition());
    LedgerEntry entry = intake.take(record, ledger.epoch());
    ledger.add(entry);
    if (entry instanceof LedgerEntry.Decoding decoding) {
      for (LensWork work : decoding.orders().works()) {
        batcher.add(work, nanoClock.getAsLong());
      }
    }
  }

  private PartitionLedger ledger(int partition) {
    return ledgers.computeIfAbsent(
        partition,
        number ->
            new PartitionLedger(
                new TopicPartition(topics.activations(), number), 0, OffsetNote.NONE));
  }

  private void settle() {
    for (RowBatch batch = kernel.takeFinished(); batch != null; batch = kernel.takeFinished()) {
      batch.settle();
    }
  }

  private void handOver() {
    long now = nanoClock.getAsLong();
    if (kernel.inFlight() > 0 || (paused && now - pausedUntilNanos < 0)) {
      return;
    }
    long pause = pauseNanos.getAsLong();
    paused = pause > 0;
    if (paused) {
      pausedUntilNanos = now + pause;
      return;
    }
    Optional<RowBatch> batch = batcher.poll(now);
    batch.ifPresent(kernel::offer);
  }

  private void publish() {
    for (PartitionLedger ledger : ledgers.values()) {
      List<ProducerRecord<String, SpecificRecord>> records = new ArrayList<>();
      Optional<LedgerEntry> entry = ledger.takeDone();
      while (entry.isPresent()) {
        records.addAll(writer.write(ledger, entry.get()));
        entry = ledger.takeDone();
      }
      for (ProducerRecord<String, SpecificRecord> record : records) {
        // The dead letters have had what is broken since it was first met.
        if (record.value() instanceof LensResult result) {
          sink.result(record, result);
        }
      }
      ledger.committed();
    }
  }
}
