package io.lensflow.steering.vector;

import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * What one change writes, in order, all of it in one transaction.
 *
 * @param action what is done, as in the audit event: {@code PUBLISH}, {@code RETIRE}, …
 * @param model served name of the model
 * @param name of the vector or the policy
 * @param versions the versions it is about
 * @param records records of the steering topics, then the audit event
 * @param warnings what the author should know; empty if there is nothing to say
 */
public record Change(
    String action,
    String model,
    String name,
    List<Integer> versions,
    List<ProducerRecord<String, SpecificRecord>> records,
    List<String> warnings) {
  public Change {
    versions = List.copyOf(versions);
    records = List.copyOf(records);
    warnings = List.copyOf(warnings);
  }

  /** A change of a vector, without warnings. */
  Change(
      String action,
      VectorId vector,
      List<Integer> versions,
      List<ProducerRecord<String, SpecificRecord>> records) {
    this(action, vector.model(), vector.name(), versions, records, List.of());
  }

  /** The same change with warnings. */
  public Change with(List<String> warnings) {
    return new Change(action, model, name, versions, records, warnings);
  }
}
