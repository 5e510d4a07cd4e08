package io.lensflow.decoder.delivery;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * What is known of one assigned partition: entries in offset order, of which only a finished prefix
 * is published, so that the committed offset never passes a chunk whose results are not out. Not
 * thread-safe: the loop owns it.
 */
final class PartitionLedger {
  private final TopicPartition partition;
  private final SequenceTracker sequences = new SequenceTracker();
  private final Deque<LedgerEntry> entries = new ArrayDeque<>();
  private Epoch epoch = new Epoch();
  private long committedOffset;
  private OffsetNote committedNote;
  private long publishedOffset;
  private OffsetNote publishedNote;
  private long nextOffset;
  private long heldBytes;

  /**
   * @param partition the partition
   * @param offset the committed offset, or where the partition begins
   * @param note what is committed with it
   */
  PartitionLedger(TopicPartition partition, long offset, OffsetNote note) {
    this.partition = partition;
    this.committedOffset = offset;
    this.committedNote = note;
    this.publishedOffset = offset;
    this.publishedNote = note;
    this.nextOffset = offset;
  }

  TopicPartition partition() {
    return partition;
  }

  SequenceTracker sequences() {
    return sequences;
  }

  /** What work of this partition must be stamped with. */
  Epoch epoch() {
    return epoch;
  }

  /** The offset of the next record, if none is missing. */
  long nextOffset() {
    return nextOffset;
  }

  /** Where to read again after an abort. */
  long committedOffset() {
    return committedOffset;
  }

  /** What is committed with that offset. */
  OffsetNote committedNote() {
    return committedNote;
  }

  /** Everything before this is in the open transaction or an earlier one. */
  long publishedOffset() {
    return publishedOffset;
  }

  /** What is to be committed with {@link #publishedOffset}. */
  OffsetNote publishedNote() {
    return publishedNote;
  }

  /** Changes what is to be committed next. */
  void publishedNote(OffsetNote note) {
    publishedNote = note;
  }

  long heldBytes() {
    return heldBytes;
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  /** Adds what comes next in the partition. */
  void add(LedgerEntry entry) {
    entries.add(entry);
    heldBytes += entry.heldBytes();
    nextOffset = entry.nextOffset();
  }

  /** Takes the oldest entry if it is done. */
  Optional<LedgerEntry> takeDone() {
    LedgerEntry head = entries.peek();
    if (head == null || !head.isDone()) {
      return Optional.empty();
    }
    entries.remove();
    heldBytes -= head.heldBytes();
    publishedOffset = head.nextOffset();
    publishedNote = publishedNote.after(head);
    return Optional.of(head);
  }

  /** The transaction with everything that was taken was committed. */
  void committed() {
    committedOffset = publishedOffset;
    committedNote = publishedNote;
    sequences.commit();
  }

  /** Back to the committed offset: what was taken in since is dropped and will be read again. */
  void rewind() {
    drop();
    epoch = new Epoch();
    publishedOffset = committedOffset;
    publishedNote = committedNote;
    nextOffset = committedOffset;
    sequences.abort();
  }

  /** The partition was made anew: nothing that was known of it counts. */
  void startOver(long offset) {
    drop();
    epoch = new Epoch();
    committedOffset = offset;
    committedNote = OffsetNote.NONE;
    publishedOffset = offset;
    publishedNote = OffsetNote.NONE;
    nextOffset = offset;
    sequences.abort();
  }

  /** The partition is no longer ours. */
  void drop() {
    epoch.end();
    entries.clear();
    heldBytes = 0;
  }
}
