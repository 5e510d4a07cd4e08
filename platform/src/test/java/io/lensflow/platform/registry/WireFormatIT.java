package io.lensflow.platform.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.platform.broker.SharedBroker;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordSerializer;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Our serialisers and client against the genuine ones, in both directions. */
class WireFormatIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static EmbeddedRegistry registry;
  private static SchemaRegistryClient ours;
  private static ConfluentOracle oracle;

  @BeforeAll
  static void start() {
    registry =
        EmbeddedRegistry.start(
            new RegistryOptions(
                SharedBroker.bootstrapServers(), "127.0.0.1", 0, "_schemas-wire", Map.of()));
    ours = new SchemaRegistryClient(registry.uri());
    oracle = new ConfluentOracle(registry.uri());
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @Test
  void shouldBeReadByTheGenuineClientWhenWeWrite() throws Exception {
    ActivationChunk chunk =
        ActivationChunk.newBuilder()
            .setRequestId("r-1")
            .setLabels(Map.of("k", "größer"))
            .setProducedAt(Instant.ofEpochSecond(1_700_000_000, 123_000))
            .setHookPoint(HookPoint.MLP_OUTPUT)
            .setLayers(List.of(0, 300))
            .setNextTokenIds(Arrays.asList(4, null))
            .setDtype(ElementType.BFLOAT16)
            .setPayload(ByteBuffer.wrap(new byte[200_000]))
            .setModelLogSumExps(Arrays.asList(1.5f, null))
            .build();

    GenericRecord read = oracle.read(new RecordSerializer<>(ours).serialize("activations", chunk));

    JsonNode json = JSON.readTree(read.toString());
    assertThat(json.path("requestId").asText()).isEqualTo("r-1");
    assertThat(json.path("labels").path("k").asText()).isEqualTo("größer");
    assertThat(json.path("producedAt").asLong()).isEqualTo(1_700_000_000_000_123L);
    assertThat(json.path("hookPoint").asText()).isEqualTo("MLP_OUTPUT");
    assertThat(json.path("layers").toString()).isEqualTo("[0,300]");
    assertThat(json.path("nextTokenIds").toString()).isEqualTo("[4,null]");
    assertThat(json.path("modelLogSumExps").toString()).isEqualTo("[1.5,null]");
    assertThat(((ByteBuffer) read.get("payload")).remaining()).isEqualTo(200_000);
    assertThat(oracle.client.getAllSubjects()).contains("activations-value");
    assertThat(oracle.rest.getConfig("activations-value").getCompatibilityLevel())
        .isEqualTo("FULL_TRANSITIVE");
  }

  @Test
  void shouldBeReadByUsWhenTheGenuineClientWrites() throws Exception {
    // As a program of another team has it: no Java properties, and only the fields it cares for.
    var schema =
        new org.apache.flink.avro.shaded.org.apache.avro.Schema.Parser()
            .parse(
                """
                {"type": "record", "name": "PromptRequest", "namespace": "io.lensflow.records",
                 "fields": [
                  {"name": "requestId", "type": "string", "default": ""},
                  {"name": "maxNewTokens", "type": "int", "default": 64},
                  {"name": "labels", "type": {"type": "map", "values": "string"}, "default": {}}]}
                """);
    GenericRecord record = new GenericData.Record(schema);
    record.put("requestId", "r-2");
    record.put("maxNewTokens", 5);
    record.put("labels", Map.of("team", "other"));

    byte[] bytes = oracle.write("prompt-requests-value", record);
    PromptRequest read =
        new RecordDeserializer<>(ours, PromptRequest.class).deserialize("prompt-requests", bytes);

    assertThat(read)
        .isEqualTo(
            PromptRequest.newBuilder()
                .setRequestId("r-2")
                .setMaxNewTokens(5)
                .setLabels(Map.of("team", "other"))
                .build());
  }

  @Test
  void shouldUseTheSameIdWhenTheGenuineClientRegisteredFirst() throws Exception {
    String schema = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}";
    int id = oracle.register("same-value", schema);

    assertThat(ours.idOf("same-value", new Schema.Parser().parse(schema))).isEqualTo(id);
    assertThat(ours.versions("same-value")).containsExactly(1);
    assertThat(ours.subjects()).contains("same-value");
  }

  @Test
  void shouldShowTheReasonsWhenASchemaIsIncompatible() {
    ours.idOf("clash-value", schema("int"));
    assertThat(ours.compatibility("clash-value")).isEqualTo("FULL_TRANSITIVE");

    assertThatThrownBy(() -> ours.idOf("clash-value", schema("string")))
        .isInstanceOf(SchemaRegistryException.class)
        .hasMessageContaining("409")
        .hasMessageContaining("TYPE_MISMATCH")
        .hasMessageContaining("clash-value");
  }

  private static Schema schema(String type) {
    return new Schema.Parser()
        .parse(
            "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\""
                + type
                + "\"}]}");
  }
}
