package io.lensflow.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.lensflow.records.ControlType;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.registry.StubRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.util.RandomData;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Programs of other versions: for each record, schemas of one field more and of one field less
 * (each in turn), as writers for this version's readers and as readers of what this version writes.
 */
class RecordEvolutionTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TOPIC = "t";
  private static final StubRegistry STUB = new StubRegistry();
  private static final SchemaRegistryClient REGISTRY = new SchemaRegistryClient(STUB.uri());
  private static final RecordSerializer<SpecificRecord> SERIALIZER =
      new RecordSerializer<>(REGISTRY);

  @AfterAll
  static void stop() {
    STUB.close();
  }

  static List<Class<? extends SpecificRecord>> records() throws IOException {
    List<Class<? extends SpecificRecord>> records = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of("src/main/avro"))) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString().replace(".avsc", "");
        Class<?> type = classOf("io.lensflow.records." + name);
        if (SpecificRecord.class.isAssignableFrom(type)) {
          records.add(type.asSubclass(SpecificRecord.class));
        }
      }
    }
    assertThat(records).hasSizeGreaterThan(25);
    return records;
  }

  @ParameterizedTest
  @MethodSource("records")
  void shouldBeReadByOthersWhenTheyKnowMoreOrLess(Class<? extends SpecificRecord> type)
      throws IOException {
    Schema ours = SpecificData.get().getSchema(type);
    SpecificRecord record = random(type);
    byte[] bytes = SERIALIZER.serialize(TOPIC, record);
    JsonNode whole = json(readGeneric(bytes, ours, ours));

    for (Schema theirs : variants(ours)) {
      assertFullyCompatible(ours, theirs);
      JsonNode read = json(readGeneric(bytes, ours, theirs));
      for (Schema.Field field : theirs.getFields()) {
        JsonNode expected =
            ours.getField(field.name()) == null
                ? TextNode.valueOf("added")
                : whole.get(field.name());
        assertThat(read.get(field.name()))
            .as("%s, read with %s", field.name(), theirs.getFields())
            .isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("records")
  void shouldReadOthersWhenTheyKnowMoreOrLess(Class<? extends SpecificRecord> type)
      throws IOException {
    Schema ours = SpecificData.get().getSchema(type);
    RecordDeserializer<? extends SpecificRecord> reader = new RecordDeserializer<>(REGISTRY, type);

    JsonNode defaults = json(defaults(ours));

    for (Schema theirs : variants(ours)) {
      GenericRecord written = (GenericRecord) new RandomData(theirs, 1, 17).iterator().next();
      SpecificRecord read = reader.deserialize(TOPIC, writeGeneric(written, theirs));
      byte[] again = SERIALIZER.serialize(TOPIC, read);
      JsonNode seen = json(readGeneric(again, ours, ours));
      JsonNode sent = json(written);
      for (Schema.Field field : ours.getFields()) {
        JsonNode expected = theirs.getField(field.name()) == null ? defaults : sent;
        assertThat(seen.get(field.name()))
            .as("%s, written with %s", field.name(), theirs.getFields())
            .isEqualTo(expected.get(field.name()));
      }
    }
  }

  @Test
  void shouldBecomeUnknownWhenAWriterHasANewerSymbol() throws IOException {
    String ours = RequestControl.getClassSchema().toString();
    Schema theirs = new Schema.Parser().parse(ours.replace("\"CANCEL\"]", "\"CANCEL\",\"PAUSE\"]"));
    GenericRecord written = (GenericRecord) new RandomData(theirs, 1, 1).iterator().next();
    written.put("type", new GenericData.EnumSymbol(theirs.getField("type").schema(), "PAUSE"));

    RequestControl read =
        new RecordDeserializer<>(REGISTRY, RequestControl.class)
            .deserialize(TOPIC, writeGeneric(written, theirs));

    assertThat(read.getType()).isEqualTo(ControlType.UNKNOWN);
  }

  /** One field more, then each field left out in turn. */
  private static List<Schema> variants(Schema schema) {
    List<Schema> variants = new ArrayList<>();
    List<Schema.Field> more = copies(schema, null);
    more.add(0, new Schema.Field("addedLater", Schema.create(Schema.Type.STRING), "New.", "added"));
    variants.add(withFields(schema, more));
    for (Schema.Field left : schema.getFields()) {
      variants.add(withFields(schema, copies(schema, left.name())));
    }
    return variants;
  }

  private static List<Schema.Field> copies(Schema schema, String without) {
    List<Schema.Field> copies = new ArrayList<>();
    for (Schema.Field field : schema.getFields()) {
      if (!field.name().equals(without)) {
        copies.add(new Schema.Field(field, field.schema()));
      }
    }
    return copies;
  }

  private static Schema withFields(Schema schema, List<Schema.Field> fields) {
    return Schema.createRecord(
        schema.getName(), schema.getDoc(), schema.getNamespace(), false, fields);
  }

  private static void assertFullyCompatible(Schema one, Schema other) {
    for (List<Schema> pair : List.of(List.of(one, other), List.of(other, one))) {
      assertThat(
              SchemaCompatibility.checkReaderWriterCompatibility(pair.get(0), pair.get(1))
                  .getType())
          .isEqualTo(SchemaCompatibilityType.COMPATIBLE);
    }
  }

  /** Some record of a class, all fields set at random, by way of its generic form. */
  private static SpecificRecord random(Class<? extends SpecificRecord> type) throws IOException {
    Schema schema = SpecificData.get().getSchema(type);
    GenericRecord record = (GenericRecord) new RandomData(schema, 1, 4711).iterator().next();
    return new RecordDeserializer<>(REGISTRY, type)
        .deserialize(TOPIC, writeGeneric(record, schema));
  }

  private static byte[] writeGeneric(GenericRecord record, Schema schema) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(0);
    out.write(ByteBuffer.allocate(4).putInt(STUB.add(schema.toString())).array());
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
    new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
    encoder.flush();
    return out.toByteArray();
  }

  private static GenericRecord readGeneric(byte[] bytes, Schema writer, Schema reader)
      throws IOException {
    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, null);
    return new GenericDatumReader<GenericRecord>(writer, reader).read(null, decoder);
  }

  private static GenericRecord defaults(Schema schema) {
    GenericRecord record = new GenericData.Record(schema);
    schema.getFields().forEach(f -> record.put(f.pos(), GenericData.get().getDefaultValue(f)));
    return record;
  }

  /** Equal for equal records: unlike their text, it does not know the order of maps. */
  private static JsonNode json(GenericRecord record) throws IOException {
    return JSON.readTree(record.toString());
  }

  private static Class<?> classOf(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(name + " was not generated", e);
    }
  }
}
