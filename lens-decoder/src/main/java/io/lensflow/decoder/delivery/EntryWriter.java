package io.lensflow.decoder.delivery;

import io.lensflow.decoder.DecoderMetrics;
import io.lensflow.decoder.batch.LensWork;
import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.chunk.ChunkVerifier;
import io.lensflow.decoder.lens.Canary;
import io.lensflow.decoder.lens.Lens;
import io.lensflow.decoder.lens.LensRefusal;
import io.lensflow.decoder.lens.ResultWriter;
import io.lensflow.decoder.loss.Loss;
import io.lensflow.engine.DType;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.Gap;
import io.lensflow.records.LensRequest;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.deadletter.DeadLetters;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says what is to be published about an entry that is done: results, gaps, dead letters. Whatever
 * cannot be decoded and can be attributed to a request ends as a gap under every lens it asked for,
 * so that a subscriber who counts sequences never waits in vain. Not thread-safe: the loop owns it.
 */
final class EntryWriter {
  /** The head failed on this chunk and on no other. */
  static final String DECODE_FAILED = "DECODE_FAILED";

  /** Sequences that one gap lists. */
  private static final int MAX_LISTED = 10_000;

  private static final String LOST =
      "these chunks were never decoded: retention had deleted them, or they could not be read";

  private static final Logger log = LoggerFactory.getLogger(EntryWriter.class);
  private static final String SERVICE = "lens-decoder";

  private final TopicCatalogue topics;
  private final Checkpoint checkpoint;
  private final int modelLayers;
  private final ResultWriter results;
  private final DecoderMetrics metrics;

  EntryWriter(
      TopicCatalogue topics, Checkpoint checkpoint, ResultWriter results, DecoderMetrics metrics) {
    this.topics = topics;
    this.checkpoint = checkpoint;
    this.modelLayers = checkpoint.config().layers();
    this.results = results;
    this.metrics = metrics;
  }

  /** The records to publish, in order. */
  List<ProducerRecord<String, SpecificRecord>> write(PartitionLedger ledger, LedgerEntry entry) {
    List<ProducerRecord<String, SpecificRecord>> out = new ArrayList<>();
    if (entry instanceof LedgerEntry.Decoding decoding) {
      decoded(ledger, decoding, out);
    } else if (entry instanceof LedgerEntry.Refused refused) {
      refused(ledger, refused, out);
    } else if (entry instanceof LedgerEntry.Hole hole) {
      ledger.sequences().observe(hole);
      metrics.lost(hole.lastOffset() - hole.firstOffset() + 1);
    } else {
      metrics.skipped();
    }
    return out;
  }

  private void decoded(
      PartitionLedger ledger,
      LedgerEntry.Decoding entry,
      List<ProducerRecord<String, SpecificRecord>> out) {
    Optional<Failure> failure = failureOf(entry);
    if (failure.isPresent()) {
      refused(ledger, new LedgerEntry.Refused(entry.record(), entry.chunk(), failure.get()), out);
      return;
    }
    ActivationChunk chunk = entry.chunk();
    before(ledger, entry.record(), chunk, out);
    for (LensWork work : entry.orders().works()) {
      int mismatches = work.plan().lens() == Lens.LOGIT ? canary(entry, work) : 0;
      for (LensResult result :
          results.results(chunk, work.plan(), work.table(), mismatches, modelLayers)) {
        out.add(record(entry.record(), result));
      }
    }
    for (LensRefusal refusal : entry.orders().refusals()) {
      withoutLens(entry, refusal, out);
    }
    metrics.decodedChunk();
  }

  /** One lens gets a gap; the others have their results. */
  private void withoutLens(
      LedgerEntry.Decoding entry,
      LensRefusal refusal,
      List<ProducerRecord<String, SpecificRecord>> out) {
    ActivationChunk chunk = entry.chunk();
    Failure failure = refusal.failure();
    log.warn("{} {}", describe(chunk), failure.getMessage());
    metrics.refusedLens(failure.getCode());
    if (refusal.deadLetter()) {
      out.add(deadLetter(entry.record(), failure, chunk.getRequestId()));
    }
    Gap gap = gap(chunk, failure.getMessage());
    out.add(record(entry.record(), results.gap(chunk, refusal.lens(), chunk.getSequence(), gap)));
  }

  private static Optional<Failure> failureOf(LedgerEntry.Decoding entry) {
    for (LensWork work : entry.orders().works()) {
      if (work.failure() != null) {
        return Optional.of(
            new Failure(
                DECODE_FAILED, "the head failed on this chunk: " + work.failure(), "payload"));
      }
      int row = work.table().firstNonFiniteRow();
      if (row >= 0) {
        int positions = entry.chunk().getPositions().size();
        return Optional.of(
            new Failure(
                ChunkVerifier.NON_FINITE_ROWS,
                "the row of layer %d at position %d decodes to NaN or infinity"
                    .formatted(
                        entry.chunk().getLayers().get(row / positions),
                        entry.chunk().getPositions().get(row % positions)),
                "payload"));
      }
    }
    return Optional.empty();
  }

  private void refused(
      PartitionLedger ledger,
      LedgerEntry.Refused entry,
      List<ProducerRecord<String, SpecificRecord>> out) {
    ConsumerRecord<byte[], byte[]> original = entry.record();
    ActivationChunk chunk = entry.chunk();
    Failure failure = entry.failure();
    log.warn(
        "{} {}-{} offset {} goes to the dead letters: {}: {}",
        chunk == null ? "request=unknown" : describe(chunk),
        original.topic(),
        original.partition(),
        original.offset(),
        failure.getCode(),
        failure.getMessage());
    out.add(deadLetter(original, failure, chunk == null ? null : chunk.getRequestId()));
    if (chunk == null || !isAttributable(chunk)) {
      return;
    }
    before(ledger, original, chunk, out);
    Gap gap = gap(chunk, failure.getCode() + ": " + failure.getMessage());
    for (String lens : lensNames(chunk)) {
      out.add(record(original, results.gap(chunk, lens, chunk.getSequence(), gap)));
    }
  }

  /** Reports what is missing in front of a chunk. */
  private void before(
      PartitionLedger ledger,
      ConsumerRecord<byte[], byte[]> original,
      ActivationChunk chunk,
      List<ProducerRecord<String, SpecificRecord>> out) {
    Optional<Gap> gap = ledger.sequences().observe(chunk);
    if (gap.isEmpty()) {
      return;
    }
    log.warn("{} {}", describe(chunk), gap.get().getReason());
    metrics.gap();
    List<Integer> missing = gap.get().getMissingSequences();
    int first = missing.isEmpty() ? 0 : missing.get(0);
    for (String lens : lensNames(chunk)) {
      out.add(record(original, results.gap(chunk, lens, first, gap.get())));
    }
  }

  private ProducerRecord<String, SpecificRecord> deadLetter(
      ConsumerRecord<byte[], byte[]> original, Failure failure, String requestId) {
    metrics.deadLetter(failure.getCode());
    return LensflowHeaders.record(
        topics.deadLetters(),
        DeadLetters.keyOf(original),
        DeadLetters.of(original, SERVICE, failure, requestId, 1),
        traceparent(original));
  }

  /** Says which chunks of a finished request fell into a hole, in lists of bounded length. */
  List<ProducerRecord<String, SpecificRecord>> write(Loss loss, OffsetNote.OpenHole hole) {
    CompletionEvent event = loss.ending().event();
    log.error(
        "request={} attempt={} lens={} lost {} of {} chunks, the first {}, to offsets {} … {}",
        event.getRequestId(),
        event.getAttemptId(),
        loss.lens(),
        loss.missing().size(),
        event.getFinished().getChunks(),
        loss.missing().get(0),
        hole.firstOffset(),
        hole.lastOffset());
    List<ProducerRecord<String, SpecificRecord>> out = new ArrayList<>();
    for (int from = 0; from < loss.missing().size(); from += MAX_LISTED) {
      int to = Math.min(loss.missing().size(), from + MAX_LISTED);
      List<Integer> missing = loss.missing().subList(from, to);
      Gap gap = new Gap(missing, hole.firstOffset(), hole.lastOffset(), LOST);
      metrics.gap();
      out.add(
          LensflowHeaders.record(
              topics.lensResults(),
              event.getRequestId(),
              results.gap(event, checkpoint.revision(), loss.lens(), gap),
              loss.ending().traceparent()));
    }
    metrics.lostChunks(loss.missing().size());
    return out;
  }

  private int canary(LedgerEntry.Decoding entry, LensWork work) {
    ActivationChunk chunk = entry.chunk();
    if (!work.plan().runsHead()) {
      return 0;
    }
    DType dtype = ChunkVerifier.dtype(chunk.getDtype()).orElseThrow();
    Canary.Report report = Canary.compare(chunk, dtype, modelLayers, work.table());
    metrics.canary(report.checked(), report.mismatches());
    if (report.mismatches() > 0) {
      log.warn(
          "{} {} of {} rows of layer {} disagree with the worker, the first at position {}",
          describe(chunk),
          report.mismatches(),
          report.checked(),
          modelLayers - 1,
          report.firstPosition());
    }
    return report.mismatches();
  }

  private ProducerRecord<String, SpecificRecord> record(
      ConsumerRecord<byte[], byte[]> original, LensResult result) {
    return LensflowHeaders.record(
        topics.lensResults(), result.getRequestId(), result, traceparent(original));
  }

  private static boolean isAttributable(ActivationChunk chunk) {
    return !chunk.getRequestId().isEmpty()
        && !chunk.getAttemptId().isEmpty()
        && chunk.getSequence() >= 0;
  }

  private static List<String> lensNames(ActivationChunk chunk) {
    return chunk.getLenses().stream().map(LensRequest::getName).distinct().toList();
  }

  private static Gap gap(ActivationChunk chunk, String reason) {
    return new Gap(List.of(chunk.getSequence()), -1L, -1L, reason);
  }

  private static String traceparent(ConsumerRecord<byte[], byte[]> original) {
    return LensflowHeaders.get(original.headers(), LensflowHeaders.TRACEPARENT).orElse(null);
  }

  private static String describe(ActivationChunk chunk) {
    return "request=%s attempt=%s sequence=%d"
        .formatted(chunk.getRequestId(), chunk.getAttemptId(), chunk.getSequence());
  }
}
