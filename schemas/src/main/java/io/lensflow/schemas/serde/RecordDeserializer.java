package io.lensflow.schemas.serde;

import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.registry.SchemaRegistryException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads records in Confluent's wire format. The writer's schema is fetched once per id and resolved
 * to this version's, so that older and newer writers are understood: fields that the writer lacks
 * take their defaults, those it has beyond are skipped. Null (a tombstone) stays null. Thread-safe;
 * decoders are kept per thread.
 *
 * @param <T> type of the records
 */
public final class RecordDeserializer<T extends SpecificRecord> implements Deserializer<T> {
  private static final int HEADER_BYTES = 5;

  /** Decoding leaves nothing in a decoder but a reference to the bytes; see {@link #decode}. */
  private static final ThreadLocal<BinaryDecoder> DECODER =
      ThreadLocal.withInitial(() -> DecoderFactory.get().binaryDecoder(new byte[0], null));

  private final SchemaRegistryClient registry;
  private final Schema readerSchema;
  private final SpecificData data;
  private final Map<Integer, SpecificDatumReader<T>> readers = new ConcurrentHashMap<>();

  public RecordDeserializer(SchemaRegistryClient registry, Class<T> type) {
    this.registry = Objects.requireNonNull(registry, "registry");
    this.data = SpecificData.getForClass(type);
    this.readerSchema = data.getSchema(type);
  }

  /**
   * The record in the bytes.
   *
   * @throws RecordFormatException if the bytes are no such record
   * @throws SchemaRegistryException if the registry cannot be asked; the record may be fine
   */
  @Override
  public T deserialize(String topic, byte[] bytes) {
    if (bytes == null) {
      return null;
    }
    if (bytes.length < HEADER_BYTES) {
      throw new RecordFormatException(
          "The value has %d bytes; the wire format starts with %d: a zero and the schema's id"
              .formatted(bytes.length, HEADER_BYTES));
    }
    if (bytes[0] != RecordSerializer.MAGIC) {
      throw new RecordFormatException(
          "The value starts with byte 0x%02x where the wire format has 0x00: it was not written"
                  .formatted(bytes[0])
              + " with a schema registry's serialiser");
    }
    return decode(readerOf(ByteBuffer.wrap(bytes, 1, Integer.BYTES).getInt()), bytes);
  }

  private SpecificDatumReader<T> readerOf(int id) {
    SpecificDatumReader<T> reader = readers.get(id);
    if (reader == null) {
      // Not computeIfAbsent: it would hold a lock of the map during a round trip to the registry.
      reader = new SpecificDatumReader<>(writerSchema(id), readerSchema, data);
      readers.put(id, reader);
    }
    return reader;
  }

  private Schema writerSchema(int id) {
    Schema writer;
    try {
      writer = registry.schemaOf(id);
    } catch (SchemaRegistryException e) {
      if (e.isNotFound()) {
        throw new RecordFormatException(
            "The value names schema id " + id + ": " + e.getMessage(), e);
      }
      throw e;
    }
    if (!readerSchema.getFullName().equals(nameOf(writer))) {
      throw new RecordFormatException(
          "The value was written as %s (schema id %d), a %s was expected"
              .formatted(nameOf(writer), id, readerSchema.getFullName()));
    }
    return writer;
  }

  private T decode(SpecificDatumReader<T> reader, byte[] bytes) {
    BinaryDecoder decoder =
        DecoderFactory.get()
            .binaryDecoder(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES, DECODER.get());
    T record;
    boolean ended;
    try {
      record = reader.read(null, decoder);
      ended = decoder.isEnd();
    } catch (IOException | RuntimeException e) {
      // Broken bytes surface as almost any unchecked exception: index, cast, negative size.
      String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new RecordFormatException(
          "The value cannot be read as " + readerSchema.getName() + ": " + reason, e);
    }
    if (!ended) {
      throw new RecordFormatException(
          "The value goes on after the end of its " + readerSchema.getName());
    }
    return record;
  }

  private static String nameOf(Schema schema) {
    return schema.getType() == Schema.Type.RECORD
        ? schema.getFullName()
        : schema.getType().getName();
  }
}
