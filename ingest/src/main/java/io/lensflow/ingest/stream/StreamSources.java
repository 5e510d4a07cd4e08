package io.lensflow.ingest.stream;

import io.lensflow.client.follow.ResultTopic;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** What all streams of an instance read from, and with. Thread-safe. */
public final class StreamSources {
  private final TopicCatalogue catalogue;
  private final ReaderPool readers;
  private final SharedTail tail;
  private final Duration clockSkew;
  private final RecordDeserializer<CompletionEvent> completions;
  private final RecordDeserializer<LensResult> results;
  private final Map<String, Integer> partitionCounts = new ConcurrentHashMap<>();

  /**
   * @param clockSkew how far the clocks of clients and brokers may differ
   */
  public StreamSources(
      KafkaClients clients, ReaderPool readers, SharedTail tail, Duration clockSkew) {
    this.catalogue = clients.settings().catalogue();
    this.readers = readers;
    this.tail = tail;
    this.clockSkew = clockSkew;
    this.completions = clients.deserializer(CompletionEvent.class);
    this.results = clients.deserializer(LensResult.class);
  }

  ReaderPool readers() {
    return readers;
  }

  SharedTail tail() {
    return tail;
  }

  /**
   * Where a topic keeps a request. Counted at the broker and not taken from the settings: a wrong
   * setting would look in the wrong place and find nothing.
   */
  public TopicPartition partition(String topic, String requestId, LogReader reader) {
    Integer count = partitionCounts.get(topic);
    if (count == null) {
      count = reader.partitions(topic);
      partitionCounts.put(topic, count);
    }
    return new TopicPartition(topic, Partitions.of(requestId, count));
  }

  /** Where a request's outputs are. */
  Map<ResultTopic, TopicPartition> partitions(String requestId, LogReader reader) {
    return Map.of(
        ResultTopic.COMPLETIONS,
        partition(catalogue.completions(), requestId, reader),
        ResultTopic.LENS_RESULTS,
        partition(catalogue.lensResults(), requestId, reader));
  }

  /**
   * From when on the log may hold records of a request: the time in its id less the clock skew.
   *
   * @param since wins over the id; may be null
   * @return null for the log's beginning
   */
  public Instant searchFrom(String requestId, Instant since) {
    Instant from = since != null ? since : Ids.timeOf(requestId).orElse(null);
    return from == null ? null : from.minus(clockSkew);
  }

  ResultTopic kindOf(ConsumerRecord<?, ?> record) {
    return record.topic().equals(catalogue.completions())
        ? ResultTopic.COMPLETIONS
        : ResultTopic.LENS_RESULTS;
  }

  /**
   * Decodes a record of {@code completions}.
   *
   * @throws io.lensflow.schemas.serde.RecordFormatException if it is none
   */
  public CompletionEvent completion(ConsumerRecord<byte[], byte[]> record) {
    return completions.deserialize(record.topic(), record.value());
  }

  LensResult result(ConsumerRecord<byte[], byte[]> record) {
    return results.deserialize(record.topic(), record.value());
  }
}
