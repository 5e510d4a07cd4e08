package io.lensflow.bench.steering;

import java.time.Duration;
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
  private final Duration pace;
  private int version = 1;

  /**
   * @param load its vector has the version 1
   * @param publish publishes the version that it is given, which is the next one
   * @param count how many publishes a stretch has, or probes without one
   * @param pace the least time from one to the next
   */
  PublishStretches(ProbedLoad load, IntConsumer publish, int count, Duration pace) {
    this.load = load;
    this.publish = publish;
    this.count = count;
    this.pace = pace;
  }

  /** Publishes so many versions, each as soon as the one before is used. */
  void warmUp(int publishes) {
    for (int i = 0; i < publishes; i++) {
      publishNext();
    }
  }

  /**
   * Publishes versions at their pace, each when the one before is used at the earliest.
   *
   * @return seconds that a token of the load took
   */
  double publishing() throws Exception {
    return load.secondsPerToken(() -> repeat(this::publishNext));
  }

  private void publishNext() {
    version++;
    long start = System.nanoTime();
    CompletableFuture<Long> use = load.probe(version);
    publish.accept(version);
    long published = System.nanoTime();
    usingMillis.add((ProbedLoad.await(use) - start) / 1e6);
    publishingMillis.add((published - start) / 1e6);
  }

  /**
   * Probes the version 1 at the same pace. With more probes a second than beside publishing, what
   * they cost would hide what publishing costs.
   *
   * @return seconds that a token of the load took
   */
  double plain() throws Exception {
    return load.secondsPerToken(() -> repeat(() -> ProbedLoad.await(load.probe(1))));
  }

  private void repeat(Runnable step) throws InterruptedException {
    long start = System.nanoTime();
    for (int i = 1; i <= count; i++) {
      step.run();
      long due = start + i * pace.toNanos();
      TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
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
