package io.lensflow.ingest.stream;

import io.lensflow.client.follow.ResultTopic;
import io.lensflow.ingest.stream.Timeline.Verdict;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordFormatException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes a request's records for its timeline, and keeps results back, undecoded, while their
 * attempt is not known: completions and results are two logs, read at their own paces. For one
 * thread.
 */
final class RecordIntake {
  private static final Logger log = LoggerFactory.getLogger(RecordIntake.class);

  private final StreamSources sources;
  private final Timeline timeline;
  private final int capacityBytes;
  private final Deque<ConsumerRecord<byte[], byte[]>> held = new ArrayDeque<>();
  private long heldBytes;

  /**
   * @param capacityBytes bytes that may be kept back; beyond, results are handed over as they are
   */
  RecordIntake(StreamSources sources, Timeline timeline, int capacityBytes) {
    this.sources = sources;
    this.timeline = timeline;
    this.capacityBytes = capacityBytes;
  }

  /** Takes the next record of a log, in the order of offsets. */
  void take(ConsumerRecord<byte[], byte[]> record) throws IOException {
    if (sources.kindOf(record) == ResultTopic.COMPLETIONS) {
      try {
        timeline.completion(record.offset(), sources.completion(record));
      } catch (RecordFormatException e) {
        leftOut(record, e);
      }
    } else {
      held.add(record);
      heldBytes += record.value().length;
    }
    release();
  }

  /** Bytes that are kept back. */
  long heldBytes() {
    return heldBytes;
  }

  private void release() throws IOException {
    while (!held.isEmpty()) {
      ConsumerRecord<byte[], byte[]> record = held.peek();
      try {
        Verdict verdict = timeline.verdict(attemptOf(record));
        if (verdict == Verdict.WAIT && heldBytes <= capacityBytes) {
          return;
        }
        if (verdict != Verdict.DROP) {
          timeline.result(record.offset(), record.value().length, sources.result(record));
        }
      } catch (RecordFormatException e) {
        leftOut(record, e);
      }
      held.remove();
      heldBytes -= record.value().length;
    }
  }

  private String attemptOf(ConsumerRecord<byte[], byte[]> record) {
    return LensflowHeaders.get(record.headers(), LensflowHeaders.ATTEMPT)
        .orElseGet(() -> sources.result(record).getAttemptId());
  }

  private static void leftOut(ConsumerRecord<?, ?> record, RecordFormatException e) {
    log.warn(
        "record {}-{}@{} left out: {}",
        record.topic(),
        record.partition(),
        record.offset(),
        e.getMessage());
  }
}
