package io.lensflow.decoder.delivery;

import io.lensflow.decoder.batch.Lane;
import io.lensflow.decoder.batch.LensWork;
import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.chunk.ChunkVerifier;
import io.lensflow.decoder.lens.Canary;
import io.lensflow.decoder.lens.LensPlan;
import io.lensflow.engine.DType;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Failure;
import io.lensflow.records.LensRequest;
import io.lensflow.schemas.lens.ServedLenses;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns a record of {@code activations} into what is to be done about it. Not thread-safe: the loop
 * owns it.
 */
final class ChunkIntake {
  /** The record is no {@link ActivationChunk}. */
  static final String UNREADABLE_RECORD = "UNREADABLE_RECORD";

  private static final Logger log = LoggerFactory.getLogger(ChunkIntake.class);

  private final Checkpoint checkpoint;
  private final ChunkVerifier verifier;
  private final Deserializer<ActivationChunk> deserializer;

  ChunkIntake(
      Checkpoint checkpoint, ChunkVerifier verifier, Deserializer<ActivationChunk> deserializer) {
    this.checkpoint = checkpoint;
    this.verifier = verifier;
    this.deserializer = deserializer;
  }

  /**
   * Reads, checks and plans one record.
   *
   * @param epoch the partition's, for the work that comes of it
   * @throws io.lensflow.schemas.registry.SchemaRegistryException if the registry cannot be asked;
   *     the record may be fine
   */
  LedgerEntry take(ConsumerRecord<byte[], byte[]> record, Epoch epoch) {
    Optional<String> model = LensflowHeaders.get(record.headers(), LensflowHeaders.MODEL);
    if (model.isPresent() && !model.get().equals(checkpoint.model())) {
      return new LedgerEntry.Skipped(record.offset(), record.timestamp());
    }
    ActivationChunk chunk;
    try {
      chunk = deserializer.deserialize(record.topic(), record.value());
    } catch (RecordFormatException e) {
      return new LedgerEntry.Refused(
          record, null, new Failure(UNREADABLE_RECORD, e.getMessage(), null));
    }
    if (chunk == null) {
      return new LedgerEntry.Refused(
          record, null, new Failure(UNREADABLE_RECORD, "the record has no value", null));
    }
    boolean foreign = model.isEmpty() && !chunk.getModel().equals(checkpoint.model());
    if (foreign || chunk.getLenses().isEmpty()) {
      return new LedgerEntry.Skipped(record.offset(), record.timestamp());
    }
    Optional<Failure> fault = verifier.fault(chunk);
    return fault.isPresent()
        ? new LedgerEntry.Refused(record, chunk, fault.get())
        : plan(record, chunk, epoch);
  }

  private LedgerEntry plan(
      ConsumerRecord<byte[], byte[]> record, ActivationChunk chunk, Epoch epoch) {
    DType dtype = ChunkVerifier.dtype(chunk.getDtype()).orElseThrow();
    List<LensWork> works = new ArrayList<>();
    List<String> absent = new ArrayList<>();
    for (LensRequest lens : chunk.getLenses()) {
      if (ServedLenses.isServed(lens.getName())) {
        works.add(work(chunk, LensPlan.of(lens), dtype, epoch));
      } else {
        absent.add(lens.getName());
      }
    }
    return new LedgerEntry.Decoding(record, chunk, dtype, works, absent);
  }

  private LensWork work(ActivationChunk chunk, LensPlan plan, DType dtype, Epoch epoch) {
    if (!plan.unsupported().isEmpty() && chunk.getSequence() == 0) {
      log.warn(
          "request={} attempt={} lens={} asks for {}, which this decoder cannot compute; these"
              + " fields stay null",
          chunk.getRequestId(),
          chunk.getAttemptId(),
          plan.name(),
          plan.unsupported());
    }
    boolean canary = Canary.appliesTo(chunk, checkpoint.config().layers());
    int k = Math.max(plan.topK(), canary ? Canary.TOP_K : 1);
    return new LensWork(
        plan,
        new Lane(plan.name(), dtype),
        chunk.getPayload(),
        chunk.getLayers().size() * chunk.getPositions().size(),
        Math.min(k, checkpoint.config().vocabularySize()),
        epoch::isOver);
  }
}
