package io.lensflow.worker;

import io.lensflow.engine.RankInfo;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.Lane;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToLongFunction;

/** What a worker counts and measures. Thread-safe. */
public final class WorkerMetrics {
  private final Counter requests;
  private final Counter attemptFailures;
  private final Counter deadLetters;
  private final Counter tokens;
  private final Counter sharedTokens;
  private final Counter chunks;
  private final Counter chunkBytes;
  private final Counter rows;
  private final Counter locksLost;
  private final Counter sourceFailures;
  private final Counter engineRestarts;
  private final Timer steps;
  private final Timer batchSteps;
  private final DistributionSummary batch;
  private final AtomicInteger running;
  private final AtomicInteger waiting;
  private final AtomicInteger freeSlots;
  private final AtomicInteger freeBatchSlots;
  private final AtomicInteger vectors;
  private final AtomicLong bufferedBytes;
  private final AtomicInteger capturesWaiting;
  private final AtomicInteger partitionsBehind;
  private final AtomicReference<Double> unread = new AtomicReference<>(Double.NaN);
  private final AtomicInteger kvTokens;
  private final AtomicInteger freeKvTokens;
  private final MultiGauge weightBytes;
  private final MultiGauge kvBytes;

  /**
   * @param registry where the meters are shown
   */
  public WorkerMetrics(MeterRegistry registry) {
    requests = counter(registry, "requests", "Requests taken from their topic");
    attemptFailures = counter(registry, "attempt.failures", "Attempts that failed here");
    deadLetters = counter(registry, "dead.letters", "Records given up");
    tokens = counter(registry, "tokens", "Tokens generated");
    sharedTokens =
        counter(registry, "prompt.tokens.shared", "Prompt tokens taken over from other sequences");
    chunks = counter(registry, "chunks", "Activation chunks sent");
    chunkBytes = counter(registry, "chunk.bytes", "Bytes of rows sent");
    rows = counter(registry, "rows", "Positions sent, per hook point");
    locksLost = counter(registry, "locks.lost", "Requests whose lock ran out while they were held");
    sourceFailures = counter(registry, "source.failures", "Failures of request consumers");
    engineRestarts = counter(registry, "engine.restarts", "Restarts of the engine");
    steps =
        Timer.builder("lensflow.worker.step")
            .description("Time of one engine step, hand-over included")
            .publishPercentiles(0.5, 0.99)
            .register(registry);
    batchSteps =
        Timer.builder("lensflow.worker.batch.step")
            .description("Time of the steps among these that were the batch lane's")
            .register(registry);
    batch =
        DistributionSummary.builder("lensflow.worker.step.sequences")
            .description("Sequences moved on by one step")
            .register(registry);
    running = registry.gauge("lensflow.worker.sequences.running", new AtomicInteger());
    waiting = registry.gauge("lensflow.worker.sequences.waiting", new AtomicInteger());
    freeSlots = registry.gauge("lensflow.worker.slots.free", new AtomicInteger());
    freeBatchSlots = registry.gauge("lensflow.worker.batch.slots.free", new AtomicInteger());
    vectors = registry.gauge("lensflow.worker.vectors", new AtomicInteger());
    bufferedBytes = registry.gauge("lensflow.worker.buffered.bytes", new AtomicLong());
    capturesWaiting = registry.gauge("lensflow.worker.captures.waiting", new AtomicInteger());
    partitionsBehind =
        registry.gauge("lensflow.worker.decoder.partitions.behind", new AtomicInteger());
    Gauge.builder("lensflow.worker.decoder.unread", unread, AtomicReference::get)
        .description("Bytes of rows that the decoder has not read ÷ what their partition keeps")
        .register(registry);
    kvTokens = registry.gauge("lensflow.worker.kv.tokens", new AtomicInteger());
    freeKvTokens = registry.gauge("lensflow.worker.kv.tokens.free", new AtomicInteger());
    weightBytes = perRank(registry, "weight.bytes", "Bytes of a rank's weights in memory");
    kvBytes = perRank(registry, "kv.bytes", "Bytes of a rank's pool of keys and values");
  }

  private static Counter counter(MeterRegistry registry, String name, String description) {
    return Counter.builder("lensflow.worker." + name).description(description).register(registry);
  }

  private static MultiGauge perRank(MeterRegistry registry, String name, String description) {
    return MultiGauge.builder("lensflow.worker.rank." + name)
        .description(description)
        .register(registry);
  }

  public void requestTaken() {
    requests.increment();
  }

  public void attemptFailed() {
    attemptFailures.increment();
  }

  public void deadLetter() {
    deadLetters.increment();
  }

  public void tokens(long count) {
    tokens.increment(count);
  }

  public void sharedTokens(long count) {
    sharedTokens.increment(count);
  }

  /** A chunk was sent: so many bytes of rows, at so many positions. */
  public void chunk(int bytes, int positions) {
    chunks.increment();
    chunkBytes.increment(bytes);
    rows.increment(positions);
  }

  public void lockLost() {
    locksLost.increment();
  }

  public void sourceFailure() {
    sourceFailures.increment();
  }

  public void engineRestart() {
    engineRestarts.increment();
  }

  /** A step of one of the lanes took so long and moved so many sequences. */
  public void step(Lane lane, Duration time, int sequences) {
    steps.record(time);
    if (lane == Lane.BATCH) {
      batchSteps.record(time);
    }
    batch.record(sequences);
  }

  /** Sequences that run, and those that wait for room. */
  public void sequences(int nowRunning, int nowWaiting) {
    running.set(nowRunning);
    waiting.set(nowWaiting);
  }

  /** An engine was loaded. */
  public void engine(EngineInfo engine) {
    kvTokens.set(engine.kvTokens());
    weightBytes.register(rows(engine, RankInfo::weightBytes), true);
    kvBytes.register(rows(engine, RankInfo::kvBytes), true);
  }

  private static List<MultiGauge.Row<?>> rows(EngineInfo engine, ToLongFunction<RankInfo> value) {
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    for (RankInfo rank : engine.ranks()) {
      rows.add(
          MultiGauge.Row.of(
              Tags.of("rank", Integer.toString(rank.rank()), "device", rank.device()),
              value.applyAsLong(rank)));
    }
    return rows;
  }

  /** Tokens for which the pool of keys and values has room. */
  public void freeKvTokens(int free) {
    freeKvTokens.set(free);
  }

  public void freeSlots(int free) {
    freeSlots.set(free);
  }

  public void freeBatchSlots(int free) {
    freeBatchSlots.set(free);
  }

  public void vectors(int loaded) {
    vectors.set(loaded);
  }

  /** So many requests more, or fewer, wait for the lens decoder. */
  public void captureWaits(int change) {
    capturesWaiting.addAndGet(change);
  }

  /**
   * How far the lens decoder is behind.
   *
   * @param worst share of a partition that it has still to read, where that is largest; NaN if
   *     nobody decodes
   * @param partitions in how many partitions new rows would push out unread ones
   */
  public void decoderLag(double worst, int partitions) {
    unread.set(worst);
    partitionsBehind.set(partitions);
  }

  /** Bytes of rows that wait for the broker. */
  public void bufferedBytes(long bytes) {
    bufferedBytes.set(bytes);
  }
}
