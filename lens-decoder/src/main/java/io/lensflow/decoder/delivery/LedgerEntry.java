package io.lensflow.decoder.delivery;

import io.lensflow.decoder.batch.LensOrders;
import io.lensflow.decoder.batch.LensWork;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Failure;
import io.lensflow.schemas.serde.LensflowHeaders;
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
   * @param orders what is computed for its lenses, and which of them get nothing
   */
  record Decoding(ConsumerRecord<byte[], byte[]> record, ActivationChunk chunk, LensOrders orders)
      implements LedgerEntry {
    @Override
    public long nextOffset() {
      return record.offset() + 1;
    }

    @Override
    public boolean isDone() {
      return orders.works().stream().allMatch(LensWork::isDone);
    }

    /** The record's bytes, the payload that was read out of them, and the values to come. */
    @Override
    public long heldBytes() {
      return 2 * bytesOf(record)
          + orders.works().stream().mapToLong(work -> work.table().bytes()).sum();
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
