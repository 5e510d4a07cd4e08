package io.lensflow.platform.registry;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.RestService;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryDecoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryEncoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;
import org.apache.flink.formats.avro.registry.confluent.ConfluentSchemaRegistryCoder;

/**
 * The genuine Confluent client and an Avro of its own, as bundled for another project: whatever it
 * reads and writes is right by definition. Schemas go in and out as text.
 */
final class ConfluentOracle {
  /** Its client, for calls that need no translation. */
  final CachedSchemaRegistryClient client;

  /** The layer below, which caches nothing. */
  final RestService rest;

  ConfluentOracle(URI registry) {
    this.client = new CachedSchemaRegistryClient(registry.toString(), 100);
    this.rest = new RestService(registry.toString());
  }

  int register(String subject, String schema) throws IOException, RestClientException {
    return client.register(subject, new AvroSchema(schema));
  }

  boolean isCompatible(String subject, String schema) throws IOException, RestClientException {
    return client.testCompatibility(subject, new AvroSchema(schema));
  }

  List<String> incompatibilities(String subject, String schema)
      throws IOException, RestClientException {
    return client.testCompatibilityVerbose(subject, new AvroSchema(schema));
  }

  /** Reads a record in the wire format; its text form is JSON. */
  GenericRecord read(byte[] bytes) throws IOException {
    ByteArrayInputStream in = new ByteArrayInputStream(bytes);
    Schema writer = new ConfluentSchemaRegistryCoder(client).readSchema(in);
    BinaryDecoder decoder = DecoderFactory.get().directBinaryDecoder(in, null);
    GenericRecord record = new GenericDatumReader<GenericRecord>(writer).read(null, decoder);
    if (in.available() > 0) {
      throw new IOException(in.available() + " bytes are left over");
    }
    return record;
  }

  /** Writes a record in the wire format, registering its schema under the subject. */
  byte[] write(String subject, GenericRecord record) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new ConfluentSchemaRegistryCoder(subject, client).writeSchema(record.getSchema(), out);
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
    new GenericDatumWriter<GenericRecord>(record.getSchema()).write(record, encoder);
    encoder.flush();
    return out.toByteArray();
  }
}
