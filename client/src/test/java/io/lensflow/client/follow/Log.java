package io.lensflow.client.follow;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Failure;
import io.lensflow.records.Finished;
import io.lensflow.records.Gap;
import io.lensflow.records.LensResult;
import io.lensflow.records.Tokens;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/**
 * A log in memory: records as a worker and a decoder would write them, read through a {@link
 * MockConsumer}. A record's bytes are its number in {@link #values}, padded to a size that a test
 * can choose, so that decoding can be counted and refused.
 */
final class Log {
  static final int PARTITIONS = 3;
  static final TopicCatalogue CATALOGUE = new TopicCatalogue("", PARTITIONS, (short) 1);

  final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
  final List<SpecificRecord> decoded = new ArrayList<>();
  private final List<SpecificRecord> values = new ArrayList<>();
  private final Map<TopicPartition, Long> ends = new HashMap<>();
  private int recordBytes = 4;

  Log() {
    Node node = new Node(0, "localhost", 9092);
    for (ResultTopic kind : ResultTopic.values()) {
      String topic = kind.in(CATALOGUE);
      List<PartitionInfo> infos = new ArrayList<>();
      for (int partition = 0; partition < PARTITIONS; partition++) {
        infos.add(new PartitionInfo(topic, partition, node, new Node[] {node}, new Node[] {node}));
        consumer.updateBeginningOffsets(Map.of(new TopicPartition(topic, partition), 0L));
        consumer.updateEndOffsets(Map.of(new TopicPartition(topic, partition), 0L));
      }
      consumer.updatePartitions(topic, infos);
    }
  }

  /**
   * Takes all that a stream has to say about what was written. The consumer gives one record a
   * poll, and every empty-handed look polls once.
   */
  <E> List<E> drain(FollowStream<E> stream) {
    List<E> events = new ArrayList<>();
    for (int looks = 0; looks <= values.size(); looks++) {
      Optional<E> event = stream.next(Duration.ZERO);
      if (event.isPresent()) {
        events.add(event.get());
        looks = 0;
      }
    }
    return events;
  }

  /** Records written from now on weigh so many bytes. */
  Log weighing(int bytes) {
    recordBytes = bytes;
    return this;
  }

  RequestTail tail(Subscription subscription) {
    return RequestTail.open(
        consumer,
        this::decode,
        CATALOGUE,
        java.util.EnumSet.allOf(ResultTopic.class),
        subscription.requestId(),
        subscription.start(),
        record -> subscription.requestId().map(record.requestId()::equals).orElse(true));
  }

  private SpecificRecord decode(ResultTopic kind, String topic, byte[] bytes) {
    SpecificRecord value = values.get(ByteBuffer.wrap(bytes).getInt());
    if (value == null) {
      throw new RecordFormatException("damaged");
    }
    decoded.add(value);
    return value;
  }

  Log accepted(String request, String attempt, int number) {
    return write(event(request, attempt, CompletionType.ACCEPTED).setAttempt(number).build());
  }

  Log tokens(String request, String attempt, int position, String text) {
    Tokens tokens =
        Tokens.newBuilder()
            .setPositions(List.of(position))
            .setIds(List.of(position * 10))
            .setTexts(List.of(text))
            .build();
    return write(event(request, attempt, CompletionType.TOKENS).setTokens(tokens).build());
  }

  Log attemptFailed(String request, String attempt) {
    return write(
        event(request, attempt, CompletionType.ATTEMPT_FAILED)
            .setFailure(new Failure("WORKER_ERROR", "step failed", null))
            .build());
  }

  Log finished(String request, String attempt, int chunks) {
    return finished(request, attempt, chunks, null);
  }

  Log finished(String request, String attempt, int chunks, List<String> lenses) {
    Finished finished =
        Finished.newBuilder().setChunks(chunks).setLenses(lenses).setText("text").build();
    return write(event(request, attempt, CompletionType.FINISHED).setFinished(finished).build());
  }

  Log failed(String request, String attempt) {
    return write(
        event(request, attempt, CompletionType.FAILED)
            .setFailure(new Failure("INVALID_REQUEST", "no such layer", "capture.layers"))
            .build());
  }

  Log result(String request, String attempt, String lens, int sequence) {
    return result(request, attempt, lens, sequence, 0, 1);
  }

  Log result(String request, String attempt, String lens, int sequence, int part, int parts) {
    return write(
        LensResult.newBuilder()
            .setRequestId(request)
            .setAttemptId(attempt)
            .setLens(lens)
            .setSequence(sequence)
            .setPart(part)
            .setParts(parts)
            .build());
  }

  Log gap(String request, String attempt, String lens, Integer... missing) {
    return write(
        LensResult.newBuilder()
            .setRequestId(request)
            .setAttemptId(attempt)
            .setLens(lens)
            .setGap(Gap.newBuilder().setMissingSequences(List.of(missing)).build())
            .build());
  }

  Log chunk(String request, String attempt, int sequence) {
    return write(
        ActivationChunk.newBuilder()
            .setRequestId(request)
            .setAttemptId(attempt)
            .setSequence(sequence)
            .build());
  }

  private static CompletionEvent.Builder event(
      String request, String attempt, CompletionType type) {
    return CompletionEvent.newBuilder().setRequestId(request).setAttemptId(attempt).setType(type);
  }

  /** A result whose bytes nobody can read. */
  Log damagedResult(String request, String attempt) {
    LensResult value = LensResult.newBuilder().setRequestId(request).setAttemptId(attempt).build();
    return write(value, null);
  }

  private Log write(SpecificRecord value) {
    return write(value, value);
  }

  /** Appends a record at the next call of {@code poll}, so that tests can write before reading. */
  private Log write(SpecificRecord value, SpecificRecord stored) {
    ResultTopic kind =
        value instanceof CompletionEvent
            ? ResultTopic.COMPLETIONS
            : value instanceof LensResult ? ResultTopic.LENS_RESULTS : ResultTopic.ACTIVATIONS;
    String topic = kind.in(CATALOGUE);
    Headers headers = LensflowHeaders.record(topic, "key", value, null).headers();
    String request = LensflowHeaders.get(headers, LensflowHeaders.REQUEST).orElseThrow();
    values.add(stored);
    byte[] bytes = ByteBuffer.allocate(recordBytes).putInt(values.size() - 1).array();
    TopicPartition partition = new TopicPartition(topic, Partitions.of(request, PARTITIONS));
    long offset = ends.merge(partition, 1L, Long::sum) - 1;
    consumer.schedulePollTask(
        () -> {
          if (consumer.assignment().contains(partition)) {
            consumer.addRecord(
                new ConsumerRecord<>(
                    topic,
                    partition.partition(),
                    offset,
                    0L,
                    TimestampType.LOG_APPEND_TIME,
                    0,
                    bytes.length,
                    request.getBytes(java.nio.charset.StandardCharsets.UTF_8),
                    bytes,
                    new RecordHeaders(headers),
                    Optional.empty()));
          }
        });
    return this;
  }
}
