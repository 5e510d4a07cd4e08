package io.lensflow.worker.intake;

import io.lensflow.worker.WorkerMetrics;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests through a classic consumer group, for brokers without share groups: one consumer on one
 * thread, which polls on while requests run, so that the group never thinks it dead.
 *
 * <p>While all slots are taken, or requests are not welcome, its partitions are paused. Requests
 * end in any order, but only the finished prefix of a partition is committed: after a crash the
 * rest is delivered again, and what had ended meanwhile is recognised by its terminal event.
 *
 * <p>A delivery carries its assignment's epoch in its ticket. When a partition is revoked its
 * prefix is committed and its state dropped; requests that still run go on, and their late
 * completion, stamped with an old epoch, changes nothing.
 */
public final class ClassicGroupSource implements RequestSource {
  private static final Logger log = LoggerFactory.getLogger(ClassicGroupSource.class);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
  private static final long RETRY_MILLIS = 1_000;

  private final RequestLane lane;
  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final WorkerMetrics metrics;
  private final Gate gate = new Gate(Integer.MAX_VALUE, Duration.ZERO, System::nanoTime);
  private final ConcurrentLinkedQueue<Verdict> verdicts = new ConcurrentLinkedQueue<>();
  private final Thread thread;
  private volatile Consumer<byte[], byte[]> consumer;
  private java.util.function.Consumer<Delivery> sink;

  // Owned by the thread.
  private final Map<TopicPartition, Assignment> assignments = new HashMap<>();
  private final Deque<ConsumerRecord<byte[], byte[]>> fetched = new ArrayDeque<>();
  private final Set<Delivery> parked = new HashSet<>();
  private long epoch;
  private int taken;

  /** What is to become of a delivery. */
  private enum Fate {
    COMPLETE,
    ABANDON,
    PARK,
    UNPARK
  }

  private record Verdict(Delivery delivery, Fate fate) {}

  private static final class Assignment {
    private final long epoch;
    private final FinishedPrefix prefix;
    private long committed;

    Assignment(long epoch, long firstOffset) {
      this.epoch = epoch;
      this.prefix = new FinishedPrefix(firstOffset);
      this.committed = firstOffset;
    }
  }

  /**
   * @param lane where requests come from
   * @param consumers makes a consumer of the group, without automatic commits
   */
  public ClassicGroupSource(
      RequestLane lane, Supplier<Consumer<byte[], byte[]>> consumers, WorkerMetrics metrics) {
    this.lane = lane;
    this.consumers = consumers;
    this.metrics = metrics;
    this.thread = new Thread(this::run, lane.threads() + "-group");
    this.thread.setDaemon(true);
  }

  @Override
  public void start(java.util.function.Consumer<Delivery> to) {
    sink = to;
    thread.start();
  }

  @Override
  public void welcome(boolean open) {
    gate.set(open);
  }

  @Override
  public void park(Delivery delivery, boolean waits) {
    verdicts.add(new Verdict(delivery, waits ? Fate.PARK : Fate.UNPARK));
  }

  @Override
  public void complete(Delivery delivery) {
    verdicts.add(new Verdict(delivery, Fate.COMPLETE));
  }

  @Override
  public void abandon(Delivery delivery) {
    // Its offset stays uncommitted, so that it comes again with the next assignment.
    verdicts.add(new Verdict(delivery, Fate.ABANDON));
  }

  @Override
  public void close() {
    gate.stop();
    Consumer<byte[], byte[]> current = consumer;
    if (current != null) {
      current.wakeup();
    }
    try {
      thread.join(CLOSE_TIMEOUT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    while (!gate.isStopped()) {
      Consumer<byte[], byte[]> mine = consumers.get();
      consumer = mine;
      try {
        mine.subscribe(List.of(lane.topic()), new Rebalance(mine));
        while (!gate.isStopped()) {
          turn(mine);
        }
      } catch (WakeupException | InterruptException e) {
        log.debug("the request group is woken up");
      } catch (KafkaException e) {
        log.warn("the request group failed and is joined again: {}", e.toString());
        metrics.sourceFailure();
        pause();
      } finally {
        leave(mine);
      }
    }
  }

  private void leave(Consumer<byte[], byte[]> mine) {
    try {
      drainVerdicts();
      commit(mine, assignments.keySet());
    } catch (KafkaException e) {
      log.debug("last commit failed: {}", e.toString());
    }
    try {
      mine.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(CLOSE_TIMEOUT));
    } catch (KafkaException e) {
      log.debug("the request group closed with {}", e.toString());
    }
    assignments.clear();
    fetched.clear();
  }

  /** One turn of the loop; each does a bit of everything and none blocks for long. */
  private void turn(Consumer<byte[], byte[]> mine) {
    drainVerdicts();
    commit(mine, assignments.keySet());
    boolean wants = gate.isOpen() && taken < lane.slots() && fetched.isEmpty();
    if (wants) {
      mine.resume(mine.assignment());
    } else {
      mine.pause(mine.assignment());
    }
    mine.poll(POLL).forEach(fetched::add);
    while (gate.isOpen() && taken < lane.slots() && !fetched.isEmpty()) {
      deliver(fetched.remove());
    }
  }

  private void deliver(ConsumerRecord<byte[], byte[]> record) {
    Assignment assignment = assignments.get(new TopicPartition(record.topic(), record.partition()));
    if (assignment == null) {
      return;
    }
    assignment.prefix.take(record.offset());
    taken++;
    sink.accept(new Delivery(record, 0, assignment.epoch, lane.lane()));
  }

  private void drainVerdicts() {
    for (Verdict verdict = verdicts.poll(); verdict != null; verdict = verdicts.poll()) {
      boolean waited = parked.remove(verdict.delivery());
      if (verdict.fate() == Fate.UNPARK) {
        taken += waited ? 1 : 0;
        continue;
      }
      taken -= waited ? 0 : 1;
      if (verdict.fate() == Fate.PARK) {
        parked.add(verdict.delivery());
        continue;
      }
      ConsumerRecord<byte[], byte[]> record = verdict.delivery().record();
      Assignment assignment =
          assignments.get(new TopicPartition(record.topic(), record.partition()));
      boolean current = assignment != null && assignment.epoch == verdict.delivery().ticket();
      if (current && verdict.fate() == Fate.COMPLETE) {
        assignment.prefix.finish(record.offset());
      }
    }
  }

  private void commit(Consumer<byte[], byte[]> mine, Collection<TopicPartition> partitions) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    for (TopicPartition partition : partitions) {
      Assignment assignment = assignments.get(partition);
      if (assignment != null && assignment.prefix.committable() > assignment.committed) {
        offsets.put(partition, new OffsetAndMetadata(assignment.prefix.committable()));
      }
    }
    if (!offsets.isEmpty()) {
      mine.commitSync(offsets);
      offsets.forEach((p, offset) -> assignments.get(p).committed = offset.offset());
    }
  }

  private void pause() {
    try {
      Thread.sleep(RETRY_MILLIS);
    } catch (InterruptedException e) {
      log.debug("the request group stops waiting");
    }
  }

  /** Runs on the source's thread, inside {@code poll}. */
  private final class Rebalance implements ConsumerRebalanceListener {
    private final Consumer<byte[], byte[]> mine;

    Rebalance(Consumer<byte[], byte[]> mine) {
      this.mine = mine;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      epoch++;
      partitions.forEach(p -> assignments.put(p, new Assignment(epoch, mine.position(p))));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      drainVerdicts();
      try {
        commit(mine, partitions);
      } catch (KafkaException e) {
        log.warn("the finished prefix was not committed: {}", e.toString());
      }
      onPartitionsLost(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      partitions.forEach(assignments::remove);
      fetched.removeIf(r -> partitions.contains(new TopicPartition(r.topic(), r.partition())));
    }
  }
}
