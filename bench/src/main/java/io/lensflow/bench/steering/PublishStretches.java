package io.lensflow.bench.steering;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/**
 * Stretches of time with and without publishing, equal in all else: as long, and with as many
 * probes. Used by one thread.
 */
final class PublishStretches {
  private final ProbedLoad load;
  private final IntConsumer publish;
  private final int count;
  private final List<Double> usingMillis = new ArrayList<>();
  private final List<Double> publishingMillis = new ArrayList<>();
  private int version = 1;
  private long paceNanos;

  /**
   * @param load its vector has the version 1
   * @param publish publishes the version that it is given, which is the next one
   * @param count how many publishes a stretch has, or probes without one
   */
  PublishStretches(ProbedLoad load, IntConsumer publish, int count) {
    this.load = load;
    this.publish = publish;
    this.count = count;
  }

  /**
   * Publishes versions, each when the one before is used.
   *
   * @return seconds that a token of the load took
   */
  double publishing() throws Exception {
    long start = System.nanoTime();
    double seconds = load.secondsPerToken(() -> repeat(this::publishNext));
    paceNanos = (System.nanoTime() - start) / count;
    return seconds;
  }

  private void publishNext(int index) {
    version++;
    long start = System.nanoTime();
    CompletableFuture<Long> use = load.probe(version);
    publish.accept(version);
    long published = System.nanoTime();
    usingMillis.add((ProbedLoad.await(use) - start) / 1e6);
    publishingMillis.add((published - start) / 1e6);
  }

  /**
   * Probes the version 1, at the pace of the last stretch of publishing; there has been one.
   * Without that pace there would be more probes a second than beside publishing, and what they
   * cost would hide what publishing costs.
   *
   * @return seconds that a token of the load took
   */
  double plain() throws Exception {
    long start = System.nanoTime();
    return load.secondsPerToken(
        () ->
            repeat(
                index -> {
                  ProbedLoad.await(load.probe(1));
                  long due = start + (index + 1) * paceNanos;
                  TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
                }));
  }

  private interface Step {
    void run(int index) throws Exception;
  }

  private void repeat(Step step) throws Exception {
    for (int i = 0; i < count; i++) {
      step.run(i);
    }
  }

  /** Of every publish: ms from sending it until its version was pinned for a request. */
  List<Double> usingMillis() {
    return usingMillis;
  }

  /** Of every publish: ms that it took over HTTP. */
  List<Double> publishingMillis() {
    return publishingMillis;
  }
}
