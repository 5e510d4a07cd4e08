package io.lensflow.platform.registry;

import org.apache.avro.Schema;

/**
 * One version of a subject. Immutable.
 *
 * @param subject the subject
 * @param version from 1
 * @param id id of the schema, the same wherever the same schema is registered
 * @param schema its text, as Avro writes it
 * @param parsed the same, parsed
 */
record SchemaVersion(String subject, int version, int id, String schema, Schema parsed) {}
