package io.lensflow.worker.intake;

import io.lensflow.worker.WorkerMetrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests as a work queue: a share group with one consumer and one thread per slot.
 *
 * <p>Why a consumer per slot: polling with an unacknowledged record throws, and after a renewal
 * {@code poll} returns only the renewed record. An idle consumer costs next to nothing. There is no
 * {@code pause()}: a slot that is not welcome does not poll.
 *
 * <p>A slot that holds a request renews its lock every third of the lock's time, while the request
 * waits and while it runs. A lock that is lost all the same (a stopped machine) is only noted: the
 * request may run twice then, and the first terminal event decides.
 *
 * <p>A request that is parked keeps its consumer busy, and with it the consumer's share of the
 * topic: what the group's coordinator has assigned to it is not read. So for each such request
 * spare slots come in, one for each partition, as far as there are any; then every partition has a
 * consumer that is free. They go when they have not been needed for a minute.
 *
 * <p>Nothing is ever released on purpose, because a release counts as a delivery.
 */
public final class ShareGroupSource implements RequestSource {
  private static final Logger log = LoggerFactory.getLogger(ShareGroupSource.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration RENEWAL_POLL = Duration.ofSeconds(5);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration DEFAULT_LOCK = Duration.ofSeconds(30);
  private static final int RENEWALS_PER_LOCK = 3;
  private static final long RETRY_MILLIS = 1_000;

  /**
   * Whenever a consumer joins or leaves, the group's coordinator assigns partitions anew, and what
   * is sent meanwhile may wait for a second or two.
   */
  private static final Duration SPARES_STAY = Duration.ofMinutes(1);

  /** Ticket of a verdict that is meant for whatever is held. */
  private static final long ANY = -1;

  /**
   * What is to become of a delivery; its ticket tells late verdicts from those that are waited for.
   */
  private record Verdict(long ticket, AcknowledgeType type) {}

  private final RequestLane lane;
  private final WorkerMetrics metrics;
  private final Gate gate;
  private final List<Slot> slots = new ArrayList<>();
  private final Set<Long> parked = new HashSet<>();
  private Consumer<Delivery> sink;

  /**
   * @param lane where requests come from
   * @param spareCount consumers that come in for those that parked requests keep busy
   * @param consumers makes the consumer of a slot: explicit acknowledgement, {@code record_limit},
   *     one record a poll
   */
  public ShareGroupSource(
      RequestLane lane,
      int spareCount,
      IntFunction<ShareConsumer<byte[], byte[]>> consumers,
      WorkerMetrics metrics) {
    this.lane = lane;
    this.metrics = metrics;
    this.gate = new Gate(lane.slots(), SPARES_STAY, System::nanoTime);
    gate.wanted(lane.slots());
    for (int i = 0; i < lane.slots() + spareCount; i++) {
      slots.add(new Slot(i, consumers));
    }
  }

  @Override
  public synchronized void start(Consumer<Delivery> to) {
    sink = to;
    slots.subList(0, lane.slots()).forEach(Slot::start);
  }

  @Override
  public void welcome(boolean open) {
    gate.set(open);
  }

  @Override
  public void park(Delivery delivery, boolean waits) {
    park(delivery.ticket(), waits);
  }

  private synchronized void park(long ticket, boolean waits) {
    boolean changed = waits ? parked.add(ticket) : parked.remove(ticket);
    if (!changed) {
      return;
    }
    if (waits) {
      gate.give();
    } else {
      gate.take();
    }
    int wanted = Math.min(slots.size(), lane.slots() + parked.size() * lane.partitions());
    gate.wanted(wanted);
    slots.subList(0, wanted).forEach(Slot::start);
  }

  @Override
  public void complete(Delivery delivery) {
    tell(delivery, AcknowledgeType.ACCEPT);
  }

  @Override
  public void abandon(Delivery delivery) {
    tell(delivery, AcknowledgeType.RELEASE);
  }

  private void tell(Delivery delivery, AcknowledgeType type) {
    int slot = (int) (delivery.ticket() % slots.size());
    slots.get(slot).verdicts.add(new Verdict(delivery.ticket(), type));
  }

  @Override
  public void close() {
    gate.stop();
    slots.forEach(Slot::stop);
    slots.forEach(Slot::join);
  }

  /** One consumer and its thread, which alone touches it (but for {@code wakeup}). */
  private final class Slot implements Runnable {
    private final int number;
    private final IntFunction<ShareConsumer<byte[], byte[]>> consumers;
    private final BlockingQueue<Verdict> verdicts = new LinkedBlockingQueue<>();
    private final Thread thread;
    private volatile ShareConsumer<byte[], byte[]> consumer;
    private volatile boolean polling;
    private long ticket;

    Slot(int number, IntFunction<ShareConsumer<byte[], byte[]>> consumers) {
      this.number = number;
      this.ticket = number;
      this.consumers = consumers;
      this.thread = new Thread(this, lane.threads() + "-slot-" + number);
      this.thread.setDaemon(true);
    }

    void start() {
      if (thread.getState() == Thread.State.NEW) {
        thread.start();
      }
    }

    /** What has a verdict already is still acknowledged; what has none is given back. */
    void stop() {
      verdicts.add(new Verdict(ANY, AcknowledgeType.RELEASE));
      ShareConsumer<byte[], byte[]> current = consumer;
      if (polling && current != null) {
        current.wakeup();
      }
    }

    void join() {
      try {
        thread.join(CLOSE_TIMEOUT.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void run() {
      while (awaitNeed()) {
        ShareConsumer<byte[], byte[]> mine = consumers.apply(number);
        consumer = mine;
        try {
          mine.subscribe(List.of(lane.topic()));
          serve(mine);
        } catch (WakeupException | InterruptException | InterruptedException e) {
          log.debug("slot {} is woken up", number);
        } catch (UnsupportedVersionException e) {
          log.error(
              "the broker's share groups are too old ({}); set lensflow.worker.request-source = classic-group",
              e.getMessage());
          metrics.sourceFailure();
          pause();
        } catch (KafkaException | IllegalStateException e) {
          // The latter: what is acknowledged is no longer held.
          log.warn("slot {} failed and joins again: {}", number, e.toString());
          metrics.sourceFailure();
          pause();
        } finally {
          close(mine);
        }
      }
    }

    private void close(ShareConsumer<byte[], byte[]> mine) {
      try {
        mine.close(CLOSE_TIMEOUT);
      } catch (KafkaException e) {
        log.debug("slot {} closed with {}", number, e.toString());
      }
    }

    /** A spare slot waits without a consumer; whether to go on. */
    private boolean awaitNeed() {
      try {
        return gate.awaitNeed(number);
      } catch (InterruptedException e) {
        return false;
      }
    }

    private void serve(ShareConsumer<byte[], byte[]> mine) throws InterruptedException {
      while (gate.pass(number)) {
        for (ConsumerRecord<byte[], byte[]> record : poll(mine)) {
          ticket += slots.size();
          int count = record.deliveryCount().map(Short::intValue).orElse(0);
          gate.take();
          try {
            sink.accept(new Delivery(record, count, ticket, lane.lane()));
            hold(mine, record);
          } finally {
            park(ticket, false);
            gate.give();
          }
        }
      }
    }

    private ConsumerRecords<byte[], byte[]> poll(ShareConsumer<byte[], byte[]> mine) {
      polling = true;
      try {
        return mine.poll(POLL);
      } finally {
        polling = false;
      }
    }

    /** Keeps the lock of a record until its verdict is there, and carries that out. */
    private void hold(ShareConsumer<byte[], byte[]> mine, ConsumerRecord<byte[], byte[]> record)
        throws InterruptedException {
      Duration lock = mine.acquisitionLockTimeoutMs().map(Duration::ofMillis).orElse(DEFAULT_LOCK);
      long renewal = lock.dividedBy(RENEWALS_PER_LOCK).toMillis();
      boolean locked = true;
      Verdict verdict = awaitVerdict(renewal);
      while (verdict == null) {
        locked = locked && renew(mine, record);
        verdict = awaitVerdict(renewal);
      }
      if (locked) {
        settle(mine, record, verdict.type());
      }
    }

    /** The verdict on the current delivery, or null after so many milliseconds without one. */
    private Verdict awaitVerdict(long millis) throws InterruptedException {
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
      Verdict verdict;
      do {
        verdict = verdicts.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      } while (verdict != null && verdict.ticket() != ticket && verdict.ticket() != ANY);
      return verdict;
    }

    private boolean renew(
        ShareConsumer<byte[], byte[]> mine, ConsumerRecord<byte[], byte[]> record) {
      mine.acknowledge(record, AcknowledgeType.RENEW);
      if (commit(mine, record, "renew") && returned(mine, record)) {
        return true;
      }
      metrics.lockLost();
      log.warn(
          "the lock of {}-{} at {} is lost; its request may run twice",
          record.topic(),
          record.partition(),
          record.offset());
      return false;
    }

    /** After a renewal the record has to be fetched again before it can be acknowledged. */
    private boolean returned(
        ShareConsumer<byte[], byte[]> mine, ConsumerRecord<byte[], byte[]> record) {
      ConsumerRecords<byte[], byte[]> again = mine.poll(RENEWAL_POLL);
      for (ConsumerRecord<byte[], byte[]> one : again) {
        if (one.offset() == record.offset() && one.partition() == record.partition()) {
          return true;
        }
      }
      return false;
    }

    private void settle(
        ShareConsumer<byte[], byte[]> mine,
        ConsumerRecord<byte[], byte[]> record,
        AcknowledgeType type) {
      mine.acknowledge(record, type);
      if (!commit(mine, record, "acknowledge")) {
        metrics.lockLost();
        log.warn(
            "{}-{} at {} was acknowledged too late; when it comes again its end is found",
            record.topic(),
            record.partition(),
            record.offset());
      }
    }

    private boolean commit(
        ShareConsumer<byte[], byte[]> mine, ConsumerRecord<byte[], byte[]> record, String what) {
      // A late acknowledgement is not thrown but comes back in the result.
      Map<TopicIdPartition, Optional<KafkaException>> results = mine.commitSync();
      for (Optional<KafkaException> result : results.values()) {
        if (result.isPresent()) {
          log.debug("cannot {} offset {}: {}", what, record.offset(), result.get().toString());
          return false;
        }
      }
      return true;
    }

    private void pause() {
      try {
        Thread.sleep(RETRY_MILLIS);
      } catch (InterruptedException e) {
        log.debug("slot {} stops waiting", number);
      }
    }
  }
}
