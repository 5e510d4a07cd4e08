package io.lensflow.schemas.registry;

import org.apache.avro.Schema;

/** Where writers of records learn the ids that name their schemas. Thread-safe. */
@FunctionalInterface
public interface SchemaIds {
  /**
   * The id of a schema under a subject, registered if it is new there.
   *
   * @throws SchemaRegistryException if it cannot be had, with the registry's reasons
   */
  int idOf(String subject, Schema schema);
}
