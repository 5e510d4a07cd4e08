package io.lensflow.decoder.delivery;

import io.lensflow.decoder.batch.WorkPlanner;
import io.lensflow.decoder.chunk.ChunkVerifier;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Failure;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordFormatException;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Turns a record of {@code activations} into what is to be done about it. Not thread-safe: the loop
 * owns it.
 */
final class ChunkIntake {
  /** The record is no {@link ActivationChunk}. */
  static final String UNREADABLE_RECORD = "UNREADABLE_RECORD";

  private final WorkPlanner planner;
  private final ChunkVerifier verifier;
  private final Deserializer<ActivationChunk> deserializer;

  /**
   * @param planner plans what can be decoded
   * @param maxTopK largest k that a request may ask for
   * @param deserializer of the records' values
   */
  ChunkIntake(WorkPlanner planner, int maxTopK, Deserializer<ActivationChunk> deserializer) {
    this.planner = planner;
    this.verifier = new ChunkVerifier(planner.checkpoint(), maxTopK);
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
    if (model.isPresent() && !model.get().equals(planner.checkpoint().model())) {
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
    boolean foreign = model.isEmpty() && !chunk.getModel().equals(planner.checkpoint().model());
    if (foreign || chunk.getLenses().isEmpty()) {
      return new LedgerEntry.Skipped(record.offset(), record.timestamp());
    }
    Optional<Failure> fault = verifier.fault(chunk);
    return fault.isPresent()
        ? new LedgerEntry.Refused(record, chunk, fault.get())
        : new LedgerEntry.Decoding(record, chunk, planner.plan(chunk, epoch::isOver));
  }
}
