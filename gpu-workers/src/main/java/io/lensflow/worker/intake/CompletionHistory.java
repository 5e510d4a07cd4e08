package io.lensflow.worker.intake;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Failure;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.worker.publishing.CompletionEvents;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads a request's history from its partition of {@code completions}, from the time of the request
 * on. For a request that has just been sent there is next to nothing to read, so that every request
 * can be looked up: one that was sent twice, or delivered again, is recognised.
 *
 * <p>Other requests' events are not decoded. One thread owns the consumer; look-ups wait for one
 * another.
 */
public final class CompletionHistory implements HistoryReader {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final long CLOSE_SECONDS = 5;

  private final String topic;
  private final int partitions;
  private final Consumer<byte[], byte[]> consumer;
  private final RecordDeserializer<CompletionEvent> deserializer;
  private final List<TopicPartition> all = new ArrayList<>();
  private final ExecutorService thread;

  /**
   * @param topic the topic of completion events
   * @param partitions how many it has
   * @param consumer without group; closed with this
   */
  public CompletionHistory(
      String topic,
      int partitions,
      Consumer<byte[], byte[]> consumer,
      RecordDeserializer<CompletionEvent> deserializer) {
    this.topic = topic;
    this.partitions = partitions;
    this.consumer = consumer;
    this.deserializer = deserializer;
    this.thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread made = new Thread(task, "request-history");
              made.setDaemon(true);
              return made;
            });
  }

  @Override
  public CompletionStage<RequestHistory> read(String requestId, Instant since) {
    return CompletableFuture.supplyAsync(() -> scan(requestId, since), thread);
  }

  private RequestHistory scan(String requestId, Instant since) {
    TopicPartition partition = new TopicPartition(topic, Partitions.of(requestId, partitions));
    if (all.isEmpty()) {
      assignAll();
    }
    long end = consumer.endOffsets(List.of(partition)).get(partition);
    OffsetAndTimestamp start =
        consumer.offsetsForTimes(Map.of(partition, since.toEpochMilli())).get(partition);
    if (start == null || start.offset() >= end) {
      return RequestHistory.NONE;
    }
    consumer.seek(partition, start.offset());
    consumer.resume(List.of(partition));
    try {
      return read(requestId, partition, end);
    } finally {
      consumer.pause(List.of(partition));
    }
  }

  /** All partitions stay assigned, and paused but for the one that is read. */
  private void assignAll() {
    for (int i = 0; i < partitions; i++) {
      all.add(new TopicPartition(topic, i));
    }
    consumer.assign(all);
    consumer.pause(all);
  }

  private RequestHistory read(String requestId, TopicPartition partition, long end) {
    Map<String, PastAttempt> attempts = new LinkedHashMap<>();
    boolean ended = false;
    while (consumer.position(partition) < end) {
      ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
      for (ConsumerRecord<byte[], byte[]> record : records) {
        if (header(record, LensflowHeaders.REQUEST).equals(requestId)) {
          ended |= note(record, attempts);
        }
      }
    }
    return new RequestHistory(ended, List.copyOf(attempts.values()));
  }

  /** Takes an event's attempt down; returns whether the event is terminal. */
  private boolean note(ConsumerRecord<byte[], byte[]> record, Map<String, PastAttempt> attempts) {
    String type = header(record, LensflowHeaders.TYPE);
    String attempt = header(record, LensflowHeaders.ATTEMPT);
    if (type.equals(header(CompletionType.ATTEMPT_FAILED))) {
      fail(attempt, deserializer.deserialize(topic, record.value()), attempts);
    } else if (!attempt.isEmpty() && !attempts.containsKey(attempt)) {
      CompletionEvent first = deserializer.deserialize(topic, record.value());
      attempts.put(attempt, new PastAttempt(attempt, first.getWorker(), ""));
    }
    return type.equals(header(CompletionType.FINISHED))
        || type.equals(header(CompletionType.FAILED))
        || type.equals(header(CompletionType.CANCELLED));
  }

  private static void fail(
      String attempt, CompletionEvent event, Map<String, PastAttempt> attempts) {
    Failure failure = event.getFailure();
    if (failure != null && failure.getCode().equals(CompletionEvents.WORKER_STOPPED)) {
      // An orderly stop of a worker says nothing against the request.
      attempts.remove(attempt);
    } else {
      String trouble = failure == null ? "unknown" : failure.getMessage();
      attempts.put(attempt, new PastAttempt(attempt, event.getWorker(), trouble));
    }
  }

  private static String header(CompletionType type) {
    return "CompletionEvent." + type;
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    return LensflowHeaders.get(record.headers(), name).orElse("");
  }

  @Override
  public void close() {
    thread.execute(consumer::close);
    thread.shutdown();
    try {
      if (!thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        consumer.wakeup();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
