package io.lensflow.decoder;

import io.lensflow.decoder.batch.RowBatch;
import io.lensflow.decoder.lens.LensShelf;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** What operators see of the decoder, all under {@code lensflow.decoder}. Thread-safe. */
public final class DecoderMetrics {
  private static final String PREFIX = "lensflow.decoder.";
  private static final double NANOS_PER_SECOND = 1e9;

  private final MeterRegistry registry;
  private final DistributionSummary batchFill;
  private final Timer queueAge;
  private final Counter decoded;
  private final Counter skipped;
  private final Counter canaryChecked;
  private final Counter canaryMismatches;
  private final Counter gaps;
  private final Counter lost;
  private final Counter lostChunks;
  private final Timer commits;
  private final Counter aborts;
  private final AtomicLong lag = new AtomicLong();
  private final AtomicLong heldBytes = new AtomicLong();
  private final AtomicLong waitingRows = new AtomicLong();
  private final AtomicLong oldestNanos = new AtomicLong();

  /** Registers the meters. */
  public DecoderMetrics(MeterRegistry registry) {
    this.registry = registry;
    batchFill =
        DistributionSummary.builder(PREFIX + "batch.fill")
            .description("Rows of a batch ÷ target rows")
            .register(registry);
    queueAge =
        Timer.builder(PREFIX + "queue.age")
            .description("Wait of a batch's oldest row, from its arrival to the head")
            .register(registry);
    decoded = counter("chunks.decoded", "Chunks whose results are published");
    skipped = counter("chunks.skipped", "Chunks of other models, or that ask for no lens");
    canaryChecked = counter("canary.checked", "Rows compared with the worker's own head");
    canaryMismatches = counter("canary.mismatches", "Of these, rows that disagree");
    gaps = counter("gaps", "Reports of chunks that were missing in front of another");
    lost = counter("lost.records", "Offsets that were deleted before they were decoded");
    lostChunks =
        counter("lost.chunks", "Chunks of finished requests that were reported as lost, per lens");
    commits =
        Timer.builder(PREFIX + "transaction.commit")
            .description("Time to commit results and offsets")
            .register(registry);
    aborts = counter("transaction.aborts", "Transactions given up and done again");
    Gauge.builder(PREFIX + "lag", lag, AtomicLong::get)
        .description("Records of the assigned partitions not yet read")
        .register(registry);
    Gauge.builder(PREFIX + "queue.rows", waitingRows, AtomicLong::get)
        .description("Rows that wait for a batch")
        .register(registry);
    Gauge.builder(PREFIX + "queue.oldest", oldestNanos, nanos -> nanos.get() / NANOS_PER_SECOND)
        .description("Age of the oldest row that waits for a batch")
        .baseUnit("seconds")
        .register(registry);
    Gauge.builder(PREFIX + "held.bytes", heldBytes, AtomicLong::get)
        .description("Memory held by chunks that are not yet published")
        .baseUnit("bytes")
        .register(registry);
  }

  private Counter counter(String name, String description) {
    return Counter.builder(PREFIX + name).description(description).register(registry);
  }

  /** A batch came back from the head. */
  public void batch(RowBatch batch, int targetRows) {
    batchFill.record((double) batch.rows() / targetRows);
    Counter.builder(PREFIX + "rows")
        .description("Rows that went through the head, by lens and numeric path")
        .tag("lens", batch.lane().lens().name())
        .tag("accuracy", batch.lane().metrics().accuracy().name())
        .register(registry)
        .increment(batch.rows());
  }

  /** A batch goes to the head. */
  public void queued(long oldestAgeNanos) {
    queueAge.record(oldestAgeNanos, TimeUnit.NANOSECONDS);
  }

  /** A chunk's results are in the transaction. */
  public void decodedChunk() {
    decoded.increment();
  }

  /** A record was none of ours. */
  public void skipped() {
    skipped.increment();
  }

  /** Rows were compared with the worker's head. */
  public void canary(int checked, int mismatches) {
    canaryChecked.increment(checked);
    canaryMismatches.increment(mismatches);
  }

  /** Translators of a folder come and go. */
  void watch(LensShelf shelf) {
    Gauge.builder(PREFIX + "lenses.held", shelf, held -> held.names().size())
        .description("Lenses that requests can name, the logit lens included")
        .register(registry);
    Gauge.builder(PREFIX + "lenses.bytes", shelf, LensShelf::heldBytes)
        .description("Memory held by translators")
        .baseUnit("bytes")
        .register(registry);
    FunctionCounter.builder(PREFIX + "lenses.refused", shelf, LensShelf::refusals)
        .description("Files in the folder of lenses that are no lens for this decoder")
        .register(registry);
  }

  /** A lens of a chunk gets a gap instead of values. */
  public void refusedLens(String code) {
    Counter.builder(PREFIX + "lenses.missed")
        .description("Chunks that one of their lenses could not decode, by reason")
        .tag("code", code)
        .register(registry)
        .increment();
  }

  /** A record goes to the dead letters. */
  public void deadLetter(String code) {
    Counter.builder(PREFIX + "dead.letters")
        .description("Records given up, by reason")
        .tag("code", code)
        .register(registry)
        .increment();
  }

  /** Missing chunks of an attempt were reported. */
  public void gap() {
    gaps.increment();
  }

  /** Offsets were gone before they were read. */
  public void lost(long records) {
    lost.increment(records);
  }

  /** Chunks of a finished request were reported as lost. */
  public void lostChunks(int chunks) {
    lostChunks.increment(chunks);
  }

  /** A transaction was committed. */
  public void committed(long nanos) {
    commits.record(nanos, TimeUnit.NANOSECONDS);
  }

  /** A transaction was given up. */
  public void aborted() {
    aborts.increment();
  }

  /** Rows that wait for others to share a batch, and the age of the oldest. */
  public void waiting(int rows, long oldestAgeNanos) {
    waitingRows.set(rows);
    oldestNanos.set(oldestAgeNanos);
  }

  /** How it stands now. */
  public void standing(long lagRecords, long held) {
    lag.set(lagRecords);
    heldBytes.set(held);
  }
}
