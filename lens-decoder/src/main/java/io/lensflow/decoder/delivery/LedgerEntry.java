package io.lensflow.decoder.delivery;

import io.lensflow.decoder.batch.LensWork;
import io.lensflow.engine.DType;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Failure;
import io.lensflow.schemas.serde.LensflowHeaders;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What became of one record of {@code activations}, or of a run of offsets that holds none. */
sealed interface LedgerEntry {
  /** Offset after it: what is committed once it is published. */
  long nextOffset();

  /** Whether it can be published. */
  default boolean isDone() {
    return true;
  }

  /** Bytes that it keeps in memory, roughly. */
  default long heldBytes() {
    return 0;
  }

  /** The broker's time of the record; −1 if there is none. */
  default long recordMillis() {
    return -1;
  }

  /** A record that is none of ours, or asks for no lens. */
  record Skipped(long offset, long recordMillis) implements LedgerEntry {
    @Override
    public long nextOffset() {
      return offset + 1;
    }
  }

  /**
   * Offsets whose records were gone before they were read.
   *
   * @param firstOffset first of them
   * @param lastOffset last of them
   */
  record Hole(long firstOffset, long lastOffset) implements LedgerEntry {
    @Override
    public long nextOffset() {
      return lastOffset + 1;
    }
  }

  /**
   * A record for the dead letters.
   *
   * @param chunk what it says, null if it cannot even be read
   */
  record Refused(ConsumerRecord<byte[], byte[]> record, ActivationChunk chunk, Failure failure)
      implements LedgerEntry {
    @Override
    public long nextOffset() {
      return record.offset() + 1;
    }

    /** Whether it was a chunk of some request, of which nobody can say which. */
    boolean isNamelessChunk() {
      return chunk == null
          && LensflowHeaders.get(record.headers(), LensflowHeaders.REQUEST).isPresent();
    }

    @Override
    public long heldBytes() {
      return bytesOf(record) * (chunk == null ? 1 : 2);
    }

    @Override
    public long recordMillis() {
      return record.timestamp();
    }
  }

  /**
   * A chunk on its way through the head.
   *
   * @param works one per lens that this decoder has
   * @param absentLenses names of lenses that it does not have
   */
  record Decoding(
      ConsumerRecord<byte[], byte[]> record,
      ActivationChunk chunk,
      DType dtype,
      List<LensWork> works,
      List<String> absentLenses)
      implements LedgerEntry {
    @Override
    public long nextOffset() {
      return record.offset() + 1;
    }

    @Override
    public boolean isDone() {
      return works.stream().allMatch(LensWork::isDone);
    }

    /** The record's bytes, and the payload that was read out of them. */
    @Override
    public long heldBytes() {
      return 2 * bytesOf(record);
    }

    @Override
    public long recordMillis() {
      return record.timestamp();
    }
  }

  private static long bytesOf(ConsumerRecord<byte[], byte[]> record) {
    return Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
  }
}
