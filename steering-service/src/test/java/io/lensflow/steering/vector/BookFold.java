package io.lensflow.steering.vector;

import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringVector;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Takes what changes write into a book, in order, as the topics would bring it back. */
public final class BookFold {
  private final VectorBook book;
  private long offset;

  public BookFold(VectorBook book) {
    this.book = book;
  }

  /** Takes a change. */
  public Change write(Change change) {
    for (ProducerRecord<String, SpecificRecord> record : change.records()) {
      if (record.topic().equals("steering-vectors")) {
        VectorKey key = VectorKey.ofVectorRecord(record.key()).orElseThrow();
        book.apply(key, (SteeringVector) record.value(), 0, offset++);
      } else if (record.topic().equals("steering-aliases")) {
        VectorKey.Alias key = VectorKey.ofAliasRecord(record.key()).orElseThrow();
        book.apply(key, (SteeringAlias) record.value());
      }
    }
    return change;
  }
}
