package io.lensflow.client.follow;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.serde.RecordDeserializer;
import org.apache.avro.specific.SpecificRecord;

/** Turns a record's bytes into its value. */
@FunctionalInterface
interface RecordDecoder {
  /**
   * Decodes.
   *
   * @throws io.lensflow.schemas.serde.RecordFormatException if the bytes are no such record
   */
  SpecificRecord decode(ResultTopic kind, String topic, byte[] value);

  /** A decoder through a registry; thread-safe. */
  static RecordDecoder of(SchemaRegistryClient registry) {
    var completions = new RecordDeserializer<>(registry, CompletionEvent.class);
    var results = new RecordDeserializer<>(registry, LensResult.class);
    var chunks = new RecordDeserializer<>(registry, ActivationChunk.class);
    return (kind, topic, value) ->
        switch (kind) {
          case COMPLETIONS -> completions.deserialize(topic, value);
          case LENS_RESULTS -> results.deserialize(topic, value);
          case ACTIVATIONS -> chunks.deserialize(topic, value);
        };
  }
}
