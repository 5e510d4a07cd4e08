package io.lensflow.decoder.replay;

import io.lensflow.decoder.log.LogRange;
import io.lensflow.decoder.log.LogScan;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.KafkaClients;
import java.time.Duration;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many chunks a request has, as {@code completions} says, which is kept longer than the rows.
 */
final class RequestChunks {
  private static final Logger log = LoggerFactory.getLogger(RequestChunks.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final String FINISHED = "CompletionEvent." + CompletionType.FINISHED;

  private RequestChunks() {}

  /**
   * Chunks that each finished attempt of a request published.
   *
   * @param range where in {@code completions} its events lie
   * @return by attempt's id
   */
  static Map<String, Integer> read(KafkaClients clients, String requestId, LogRange range) {
    Map<String, Integer> chunks = new TreeMap<>();
    Deserializer<CompletionEvent> events = clients.deserializer(CompletionEvent.class);
    String topic = clients.settings().catalogue().completions();
    try (LogScan scan = LogScan.open(clients, "lensflow-replay-completions", topic, range)) {
      while (!scan.isAtEnd()) {
        for (ConsumerRecord<byte[], byte[]> record : scan.poll(POLL)) {
          if (has(record, LensflowHeaders.REQUEST, requestId)
              && has(record, LensflowHeaders.TYPE, FINISHED)) {
            note(events, record, chunks);
          }
        }
      }
    }
    return chunks;
  }

  private static boolean has(ConsumerRecord<byte[], byte[]> record, String header, String value) {
    return LensflowHeaders.get(record.headers(), header).equals(Optional.of(value));
  }

  private static void note(
      Deserializer<CompletionEvent> events,
      ConsumerRecord<byte[], byte[]> record,
      Map<String, Integer> chunks) {
    try {
      CompletionEvent event = events.deserialize(record.topic(), record.value());
      if (event.getFinished() != null) {
        chunks.put(event.getAttemptId(), event.getFinished().getChunks());
      }
    } catch (RecordFormatException e) {
      log.warn("{} offset {}: {}", record.topic(), record.offset(), e.getMessage());
    }
  }

  /**
   * What of an attempt is missing, in words.
   *
   * @param chunks how many it published
   * @param found sequences that were found
   * @return one line; empty if all are there
   */
  static Optional<String> missing(String attemptId, int chunks, BitSet found) {
    BitSet missing = new BitSet();
    missing.set(0, chunks);
    missing.andNot(found);
    return missing.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "attempt %s: %d of %d chunks are no longer in the log, the first with sequence %d"
                .formatted(attemptId, missing.cardinality(), chunks, missing.nextSetBit(0)));
  }
}
