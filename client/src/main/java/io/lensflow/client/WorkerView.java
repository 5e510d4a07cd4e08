package io.lensflow.client;

import io.lensflow.records.WorkerHeartbeat;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The newest heartbeat of each worker and whether it is live.
 *
 * <p>A worker is live while the broker's timestamp of its newest heartbeat is younger than six
 * seconds. "Younger" is asked of the broker's clock, which this machine's clock need not agree
 * with: every heartbeat that arrives fresh, not from history, shows the difference between the two,
 * and the last such difference corrects the comparison. Thread-safe.
 */
final class WorkerView {
  static final Duration LIVENESS = Duration.ofSeconds(6);

  private record Entry(WorkerHeartbeat heartbeat, Instant brokerTime) {}

  private final Clock clock;
  private final Map<String, Entry> entries = new ConcurrentHashMap<>();
  private volatile Duration brokerAhead = Duration.ZERO;

  WorkerView(Clock clock) {
    this.clock = clock;
  }

  /**
   * Takes a heartbeat in.
   *
   * @param worker key of the record
   * @param heartbeat null for a tombstone
   * @param brokerTime the broker's timestamp
   * @param fresh whether it was written after this view had read the topic to its end
   */
  void update(String worker, WorkerHeartbeat heartbeat, Instant brokerTime, boolean fresh) {
    if (fresh) {
      brokerAhead = Duration.between(clock.instant(), brokerTime);
    }
    if (heartbeat == null) {
      entries.remove(worker);
    } else {
      entries.put(worker, new Entry(heartbeat, brokerTime));
    }
  }

  /** Newest heartbeats of the live workers, by worker name. */
  List<WorkerHeartbeat> live() {
    Instant brokerNow = clock.instant().plus(brokerAhead);
    return entries.values().stream()
        .filter(entry -> entry.brokerTime().plus(LIVENESS).isAfter(brokerNow))
        .map(Entry::heartbeat)
        .sorted(Comparator.comparing(WorkerHeartbeat::getWorker))
        .toList();
  }
}
