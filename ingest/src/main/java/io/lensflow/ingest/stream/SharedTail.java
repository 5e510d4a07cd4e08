package io.lensflow.ingest.stream;

import io.lensflow.service.KafkaClients;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ends of the partitions that somebody listens to, read once for all listeners of this instance
 * and handed to each by request. One thread, {@code ingest-tail}, owns the one consumer; it never
 * waits for a listener. It outlives broker outages: the consumer keeps its places.
 *
 * <p>A listener brings the offsets that it has reached. A partition that nobody listened to begins
 * there; one that is being read goes on where it is, and the listener reads up to that place by
 * itself ({@link TailListener#starts}).
 */
public final class SharedTail implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SharedTail.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final long RETRY_MILLIS = 500;

  /** A new partition waits for a fetch under way, so that a fetch must not wait long for news. */
  private static final int FETCH_WAIT_MILLIS = 50;

  private static final int FETCH_BYTES = 16 << 20;

  private final Consumer<byte[], byte[]> consumer;
  private final LinkedBlockingQueue<Runnable> commands = new LinkedBlockingQueue<>();
  private final Map<TopicPartition, Map<String, List<TailListener>>> listeners = new HashMap<>();

  /** Next offset to be handed over, by partition; those of {@link #listeners}. */
  private final Map<TopicPartition, Long> next = new HashMap<>();

  private final Thread thread = new Thread(this::run, "ingest-tail");
  private final AtomicInteger partitions = new AtomicInteger();
  private final Counter read;
  private volatile boolean stopping;

  private SharedTail(Consumer<byte[], byte[]> consumer, MeterRegistry metrics) {
    this.consumer = consumer;
    this.read = metrics.counter("lensflow.ingest.tail.records");
    metrics.gauge("lensflow.ingest.tail.partitions", partitions);
    thread.setDaemon(true);
  }

  /** Starts the tail; it connects with its first listener. */
  public static SharedTail start(KafkaClients clients, MeterRegistry metrics) {
    SharedTail tail =
        new SharedTail(
            clients.bytesConsumer(
                Map.of(
                    ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                    "read_committed",
                    ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                    "earliest",
                    ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                    5000,
                    ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG,
                    FETCH_WAIT_MILLIS,
                    ConsumerConfig.FETCH_MAX_BYTES_CONFIG,
                    FETCH_BYTES)),
            metrics);
    tail.thread.start();
    return tail;
  }

  /** Adds a listener; it is told through {@link TailListener#starts} from where it hears. */
  void add(TailListener listener) {
    command(() -> onAdd(listener));
  }

  /** Removes a listener. */
  void remove(TailListener listener) {
    command(() -> onRemove(listener));
  }

  private void command(Runnable command) {
    commands.add(command);
    consumer.wakeup();
  }

  private void run() {
    try (consumer) {
      while (!stopping) {
        try {
          obeyCommands();
          if (!listeners.isEmpty()) {
            poll();
          }
        } catch (WakeupException e) {
          // a command waits
        } catch (InterruptException | InterruptedException e) {
          return;
        } catch (KafkaException e) {
          log.warn("tail: {}; trying again", e.getMessage());
          TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      log.error("the tail has ended; streams of this instance hear nothing more", e);
    }
  }

  /** Waits for a command only while there is nothing to read. */
  private void obeyCommands() throws InterruptedException {
    Runnable command = listeners.isEmpty() ? commands.poll(1, TimeUnit.SECONDS) : commands.poll();
    for (; command != null; command = commands.poll()) {
      command.run();
    }
  }

  private void poll() {
    int count = 0;
    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
      count++;
      TopicPartition partition = new TopicPartition(record.topic(), record.partition());
      next.put(partition, record.offset() + 1);
      byte[] request = RequestFilter.requestOf(record);
      if (request == null || record.value() == null) {
        continue;
      }
      listeners
          .getOrDefault(partition, Map.of())
          .getOrDefault(new String(request, StandardCharsets.UTF_8), List.of())
          .forEach(listener -> listener.offer(record));
    }
    read.increment(count);
  }

  private void onAdd(TailListener listener) {
    Set<TopicPartition> fresh = new HashSet<>(listener.partitions());
    fresh.removeAll(listeners.keySet());
    listener
        .partitions()
        .forEach(
            partition ->
                listeners
                    .computeIfAbsent(partition, p -> new HashMap<>())
                    .computeIfAbsent(listener.requestId(), id -> new ArrayList<>(1))
                    .add(listener));
    try {
      assign();
      for (TopicPartition partition : fresh) {
        long position = listener.positions().get(partition);
        consumer.seek(partition, position);
        next.put(partition, position);
      }
      Map<TopicPartition, Long> starts = new HashMap<>(next);
      starts.keySet().retainAll(listener.partitions());
      listener.starts().complete(starts);
    } catch (KafkaException e) {
      listener.starts().completeExceptionally(e);
      onRemove(listener);
    }
  }

  private void onRemove(TailListener listener) {
    for (TopicPartition partition : listener.partitions()) {
      Map<String, List<TailListener>> requests = listeners.get(partition);
      if (requests == null) {
        continue;
      }
      requests.computeIfPresent(
          listener.requestId(),
          (id, all) -> {
            all.remove(listener);
            return all.isEmpty() ? null : all;
          });
      if (requests.isEmpty()) {
        listeners.remove(partition);
        next.remove(partition);
      }
    }
    assign();
  }

  /** Partitions that stay assigned keep their places. */
  private void assign() {
    consumer.assign(listeners.keySet());
    partitions.set(listeners.size());
  }

  @Override
  public void close() {
    stopping = true;
    consumer.wakeup();
    try {
      thread.join(Duration.ofSeconds(5).toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
