/** Records to bytes and back: Confluent's wire format, Avro, and the headers of every record. */
package io.lensflow.schemas.serde;
