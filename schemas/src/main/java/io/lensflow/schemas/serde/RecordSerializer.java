package io.lensflow.schemas.serde;

import io.lensflow.schemas.registry.SchemaIds;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Writes records in Confluent's wire format: byte 0, the schema's id as 4 bytes big-endian, Avro
 * binary. The schema is registered as subject {@code <topic>-value} when a topic is first written
 * to; a null record (tombstone) becomes null. Thread-safe; buffers are kept per thread.
 *
 * @param <T> type of the records; a common supertype serves several types at once
 */
public final class RecordSerializer<T extends SpecificRecord> implements Serializer<T> {
  static final byte MAGIC = 0;

  private static final ThreadLocal<Encoding> ENCODING = ThreadLocal.withInitial(Encoding::new);

  private final SchemaIds registry;
  private final Map<Target, Integer> ids = new ConcurrentHashMap<>();
  private final Map<Schema, SpecificDatumWriter<T>> writers = new ConcurrentHashMap<>();

  /** A topic and what is written to it. */
  private record Target(String topic, Schema schema) {}

  /** Writes with the ids that a registry gives out. */
  public RecordSerializer(SchemaIds registry) {
    this.registry = Objects.requireNonNull(registry, "registry");
  }

  /**
   * The record's bytes, in a new array.
   *
   * @throws SerializationException if a field that must be set is null, naming it
   * @throws io.lensflow.schemas.registry.SchemaRegistryException if the registry cannot be reached
   *     or refuses the schema
   */
  @Override
  public byte[] serialize(String topic, T value) {
    if (value == null) {
      return null;
    }
    Schema schema = value.getSchema();
    int id = idOf(topic, schema);
    Encoding encoding = ENCODING.get();
    try {
      encoding.begin(id);
      writerOf(value, schema).write(value, encoding.encoder);
      return encoding.end();
    } catch (IOException | AvroRuntimeException | NullPointerException | ClassCastException e) {
      throw new SerializationException(
          "Cannot write a " + schema.getName() + " for topic " + topic + ": " + e.getMessage(), e);
    } finally {
      encoding.buffer.reset();
    }
  }

  private int idOf(String topic, Schema schema) {
    Target target = new Target(topic, schema);
    Integer id = ids.get(target);
    if (id == null) {
      // Not computeIfAbsent: it would hold a lock of the map during a round trip to the registry.
      id = registry.idOf(topic + "-value", schema);
      ids.put(target, id);
    }
    return id;
  }

  private SpecificDatumWriter<T> writerOf(T value, Schema schema) {
    return writers.computeIfAbsent(
        schema, s -> new SpecificDatumWriter<>(s, SpecificData.getForClass(value.getClass())));
  }

  private static final class Encoding {
    final GatheringBuffer buffer = new GatheringBuffer();
    // Unbuffered: it hands large arrays through as they are, and the buffer is ours anyway.
    final BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(buffer, null);

    void begin(int id) {
      buffer.reset();
      buffer.write(MAGIC);
      buffer.write(id >>> 24);
      buffer.write(id >>> 16);
      buffer.write(id >>> 8);
      buffer.write(id);
    }

    byte[] end() throws IOException {
      encoder.flush();
      return buffer.toByteArray();
    }
  }
}
