package io.lensflow.bench.soak;

import io.lensflow.bench.soak.Target.Role;
import io.lensflow.platform.broker.BrokerStartException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Strikes as planned, and does what whoever runs the services does: starts those again that ended
 * by themselves. Threads {@code soak-faults} strike; as many faults as there are processes overlap.
 */
final class Faults implements AutoCloseable {
  private static final long WATCH_MILLIS = 300;
  private static final int START_TRIES = 20;

  private final Deployment deployment;
  private final Consumer<String> progress;
  private final Map<String, Integer> struck = new TreeMap<>();
  private final List<Future<?>> strikes = new ArrayList<>();
  private final Map<Target, ReentrantLock> turns = new EnumMap<>(Target.class);
  private final ScheduledExecutorService threads =
      Executors.newScheduledThreadPool(
          Target.values().length + 1, task -> new Thread(task, "soak-faults"));

  /**
   * Begins.
   *
   * @param progress hears of every fault
   */
  Faults(Deployment deployment, List<Fault> plan, Consumer<String> progress) {
    this.deployment = deployment;
    this.progress = progress;
    for (Target target : Target.values()) {
      turns.put(target, new ReentrantLock());
    }
    for (Fault fault : plan) {
      strikes.add(
          threads.schedule(
              () -> {
                strike(fault);
                return null;
              },
              fault.at().toMillis(),
              TimeUnit.MILLISECONDS));
    }
    threads.scheduleWithFixedDelay(
        this::keepRunning, WATCH_MILLIS, WATCH_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** One after the other where a target is struck again before it is back, on a slow machine. */
  private void strike(Fault fault) throws Exception {
    Target target = fault.target();
    turns.get(target).lock();
    try {
      strike(fault, target);
    } finally {
      turns.get(target).unlock();
    }
    count(fault);
  }

  private void strike(Fault fault, Target target) throws Exception {
    progress.accept(
        "%s: %s%s"
            .formatted(
                target.label(),
                fault.kind().words(),
                fault.length().isZero()
                    ? ""
                    : ", %.1f s".formatted(fault.length().toMillis() / 1e3)));
    switch (fault.kind()) {
      case KILL -> {
        deployment.kill(target);
        Thread.sleep(fault.length().toMillis());
        startAgain(target);
      }
      case PAUSE, HANG -> {
        deployment.pause(target);
        try {
          Thread.sleep(fault.length().toMillis());
        } finally {
          deployment.wake(target);
        }
      }
      case RESTART -> {
        deployment.stop(target);
        startAgain(target);
      }
    }
  }

  /**
   * The port of a dead broker may be some client's own for a moment, at the other end of nothing.
   */
  private void startAgain(Target target) throws IOException, InterruptedException {
    for (int tried = 1; ; tried++) {
      try {
        deployment.startAgain(target);
        return;
      } catch (BrokerStartException e) {
        if (tried == START_TRIES) {
          throw e;
        }
        Thread.sleep(WATCH_MILLIS);
      }
    }
  }

  private synchronized void count(Fault fault) {
    Role role = fault.target().role();
    struck.merge(
        "%s of a %s".formatted(fault.kind().words(), role.name().toLowerCase(Locale.ROOT)),
        1,
        Integer::sum);
  }

  private void keepRunning() {
    try {
      deployment.keepRunning();
    } catch (IOException e) {
      progress.accept("a service that ended cannot be started again: " + e);
    }
  }

  /** Returns when the last fault is over; throws what went wrong with one. */
  void await() throws Exception {
    for (Future<?> strike : strikes) {
      try {
        strike.get();
      } catch (ExecutionException e) {
        throw e.getCause() instanceof Exception cause ? cause : e;
      }
    }
  }

  /** How many struck, by kind and role. */
  synchronized Map<String, Integer> struck() {
    return new TreeMap<>(struck);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
