package io.lensflow.client.follow;

import io.lensflow.client.ClientException;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/**
 * Reads request-keyed topics without a consumer group: assigns the partitions where one request's
 * records must be (or all of them), seeks, polls, and drops by header what was not asked for.
 *
 * <p>Owns its consumer. Used by one thread at a time; {@link #wakeup} may come from any.
 */
public final class RequestTail implements AutoCloseable {
  private final Consumer<byte[], byte[]> consumer;
  private final RecordDecoder decoder;
  private final Map<String, ResultTopic> kinds = new HashMap<>();
  private final Predicate<TailRecord> wanted;
  private boolean resultsPaused;

  private RequestTail(
      Consumer<byte[], byte[]> consumer,
      RecordDecoder decoder,
      TopicCatalogue catalogue,
      Set<ResultTopic> topics,
      Predicate<TailRecord> wanted) {
    this.consumer = consumer;
    this.decoder = decoder;
    this.wanted = wanted;
    topics.forEach(topic -> kinds.put(topic.in(catalogue), topic));
  }

  /**
   * Opens a tail.
   *
   * @param consumer a consumer that reads committed records, without a group; closed with the tail
   * @param registry where schemas are looked up
   * @param topics which topics to read
   * @param requestId the request whose partition to read; empty reads every partition
   * @param start where to begin
   * @param wanted decides by headers which records are handed on
   * @throws ClientException if a topic does not exist or the broker does not answer; the consumer
   *     is closed then
   */
  public static RequestTail open(
      Consumer<byte[], byte[]> consumer,
      SchemaRegistryClient registry,
      TopicCatalogue catalogue,
      Set<ResultTopic> topics,
      Optional<String> requestId,
      StartingPoint start,
      Predicate<TailRecord> wanted) {
    return open(consumer, RecordDecoder.of(registry), catalogue, topics, requestId, start, wanted);
  }

  static RequestTail open(
      Consumer<byte[], byte[]> consumer,
      RecordDecoder decoder,
      TopicCatalogue catalogue,
      Set<ResultTopic> topics,
      Optional<String> requestId,
      StartingPoint start,
      Predicate<TailRecord> wanted) {
    RequestTail tail = new RequestTail(consumer, decoder, catalogue, topics, wanted);
    try {
      tail.assign(requestId, start);
      return tail;
    } catch (KafkaException e) {
      consumer.close();
      throw new ClientException("the topics of results cannot be read: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      consumer.close();
      throw e;
    }
  }

  private void assign(Optional<String> requestId, StartingPoint start) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (String topic : kinds.keySet()) {
      List<PartitionInfo> infos = consumer.partitionsFor(topic);
      if (infos == null || infos.isEmpty()) {
        throw new ClientException(
            "the topic '%s' does not exist; create the topics first (lensflow topics create), or check the topic prefix"
                .formatted(topic));
      }
      requestId.ifPresentOrElse(
          id -> partitions.add(new TopicPartition(topic, Partitions.of(id, infos.size()))),
          () -> infos.forEach(info -> partitions.add(new TopicPartition(topic, info.partition()))));
    }
    consumer.assign(partitions);
    seek(partitions, start);
  }

  private void seek(List<TopicPartition> partitions, StartingPoint start) {
    if (start instanceof StartingPoint.Earliest) {
      consumer.seekToBeginning(partitions);
    } else if (start instanceof StartingPoint.Latest) {
      // Looked up now: a lazy seekToEnd would skip what is written before the first poll.
      consumer.endOffsets(partitions).forEach(consumer::seek);
    } else if (start instanceof StartingPoint.At at) {
      seekToTime(partitions, at.time());
    } else if (start instanceof StartingPoint.Offsets exact) {
      consumer.seekToBeginning(
          partitions.stream().filter(p -> !exact.offsets().containsKey(p)).toList());
      partitions.stream()
          .filter(exact.offsets()::containsKey)
          .forEach(partition -> consumer.seek(partition, exact.offsets().get(partition)));
    }
  }

  private void seekToTime(List<TopicPartition> partitions, Instant time) {
    // The ends come first: a record written between the two look-ups must not be skipped.
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(partition -> times.put(partition, Math.max(0, time.toEpochMilli())));
    Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(times);
    for (TopicPartition partition : partitions) {
      OffsetAndTimestamp first = found.get(partition);
      consumer.seek(partition, first == null ? ends.get(partition) : first.offset());
    }
  }

  /**
   * Records that have arrived, in partition order for each topic; empty after the timeout.
   *
   * @throws WakeupException after {@link #wakeup}
   * @throws ClientException if Kafka refuses for good, such as for a missing authorisation
   */
  public List<TailRecord> poll(Duration timeout) {
    List<TailRecord> records = new ArrayList<>();
    try {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(timeout)) {
        if (record.value() == null) {
          continue; // these topics have no tombstones; a foreign one says nothing
        }
        TailRecord tailed = new TailRecord(kinds.get(record.topic()), record, decoder);
        if (wanted.test(tailed)) {
          records.add(tailed);
        }
      }
    } catch (WakeupException e) {
      throw e;
    } catch (KafkaException e) {
      throw new ClientException("reading results failed: " + e.getMessage(), e);
    }
    return records;
  }

  /**
   * Stops or resumes reading results and activations; completions go on either way, because a
   * terminal event is what a stream that has stopped waits for.
   */
  public void pauseResults(boolean pause) {
    if (pause == resultsPaused) {
      return;
    }
    List<TopicPartition> partitions =
        consumer.assignment().stream()
            .filter(partition -> kinds.get(partition.topic()) != ResultTopic.COMPLETIONS)
            .toList();
    if (pause) {
      consumer.pause(partitions);
    } else {
      consumer.resume(partitions);
    }
    resultsPaused = pause;
  }

  /** Makes a poll that waits in another thread throw {@link WakeupException}. */
  public void wakeup() {
    consumer.wakeup();
  }

  @Override
  public void close() {
    consumer.close();
  }
}
