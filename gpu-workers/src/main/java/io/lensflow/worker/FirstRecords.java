package io.lensflow.worker;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.serde.RecordSerializer;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;

/**
 * Does before the first request what its first records would otherwise wait for: schemas are
 * registered, the code that writes them is loaded, and the producer knows its topic. A chunk that
 * comes half a second late is no longer early for a short request.
 */
final class FirstRecords {
  private FirstRecords() {}

  /**
   * Prepares for everything that a worker writes.
   *
   * @param chunks the producer of chunks
   * @throws WorkerStartException if the registry cannot be asked or refuses a schema
   */
  static void prepare(KafkaClients clients, Producer<String, SpecificRecord> chunks) {
    TopicCatalogue topics = clients.settings().catalogue();
    Map<String, SpecificRecord> written = new LinkedHashMap<>();
    written.put(topics.completions(), CompletionEvent.newBuilder().build());
    written.put(topics.activations(), ActivationChunk.newBuilder().build());
    written.put(topics.workers(), WorkerHeartbeat.newBuilder().build());
    written.put(topics.deadLetters(), DeadLetter.newBuilder().build());
    try (RecordSerializer<SpecificRecord> serializer = new RecordSerializer<>(clients.registry())) {
      written.forEach(serializer::serialize);
    } catch (SchemaRegistryException e) {
      throw new WorkerStartException(
          "the schema registry at %s (lensflow.kafka.schema-registry) does not serve: %s"
              .formatted(clients.settings().schemaRegistry(), e.getMessage()),
          e);
    }
    chunks.partitionsFor(topics.activations());
  }
}
