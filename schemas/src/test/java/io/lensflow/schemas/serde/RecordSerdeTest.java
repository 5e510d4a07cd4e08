package io.lensflow.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.ControlType;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.registry.StubRegistry;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RecordSerdeTest {
  private static final String TOPIC = "activations";

  private final StubRegistry stub = new StubRegistry();
  private final SchemaRegistryClient registry = new SchemaRegistryClient(stub.uri());
  private final RecordSerializer<SpecificRecord> serializer = new RecordSerializer<>(registry);
  private final RecordDeserializer<ActivationChunk> chunks =
      new RecordDeserializer<>(registry, ActivationChunk.class);
  private final RecordDeserializer<RequestControl> controls =
      new RecordDeserializer<>(registry, RequestControl.class);

  @AfterEach
  void stop() {
    stub.close();
  }

  @Test
  void shouldReadWhatItWroteWhenTheRecordIsLarge() {
    ActivationChunk chunk = chunk(1024 * 1024, 7);

    assertThat(chunks.deserialize(TOPIC, serializer.serialize(TOPIC, chunk))).isEqualTo(chunk);
  }

  @Test
  void shouldStartWithAZeroAndTheIdWhenWritten() {
    stub.add("\"string\"");
    byte[] bytes = serializer.serialize(TOPIC, control());

    assertThat(Arrays.copyOf(bytes, 5)).containsExactly(0, 0, 0, 0, 2);
    assertThat(stub.asked).contains("POST /subjects/activations-value/versions");
  }

  @Test
  void shouldWriteTheSameBytesWhenThePayloadIsDirectOrASlice() {
    ActivationChunk chunk = chunk(100_000, 1);
    byte[] expected = serializer.serialize(TOPIC, chunk);
    ByteBuffer payload = chunk.getPayload();

    ByteBuffer direct = ByteBuffer.allocateDirect(payload.remaining());
    direct.put(payload.duplicate()).flip();
    chunk.setPayload(direct.asReadOnlyBuffer());
    assertThat(serializer.serialize(TOPIC, chunk)).isEqualTo(expected);

    ByteBuffer padded = ByteBuffer.allocate(payload.remaining() + 20);
    padded.position(10).put(payload.duplicate()).flip().position(10);
    chunk.setPayload(padded.slice());
    assertThat(serializer.serialize(TOPIC, chunk)).isEqualTo(expected);
  }

  @Test
  void shouldKeepRecordsApartWhenOneThreadWritesMany() {
    Random random = new Random(5);
    for (int i = 0; i < 50; i++) {
      ActivationChunk chunk = chunk(random.nextInt(20_000), i);
      byte[] bytes = serializer.serialize(TOPIC, chunk);
      serializer.serialize(TOPIC, chunk(random.nextInt(20_000), -i));
      assertThat(chunks.deserialize(TOPIC, bytes)).isEqualTo(chunk);
    }
  }

  @Test
  void shouldServeManyThreadsWhenTheyShareOneSerializer() {
    List<ActivationChunk> written =
        IntStream.range(0, 200).mapToObj(i -> chunk(i * 100, i)).toList();

    List<ActivationChunk> read =
        written.parallelStream()
            .map(chunk -> chunks.deserialize(TOPIC, serializer.serialize(TOPIC, chunk)))
            .toList();

    assertThat(read).isEqualTo(written);
  }

  @Test
  void shouldStayNullWhenItIsATombstone() {
    assertThat(serializer.serialize(TOPIC, null)).isNull();
    assertThat(chunks.deserialize(TOPIC, null)).isNull();
  }

  @Test
  void shouldSayWhatIsWrongWhenTheBytesAreNoRecord() {
    byte[] good = serializer.serialize(TOPIC, control());
    byte[] otherMagic = good.clone();
    otherMagic[0] = 1;
    byte[] unknownId = good.clone();
    unknownId[4] = 99;

    assertRefused(new byte[] {0, 0, 0}, "has 3 bytes");
    assertRefused(otherMagic, "0x01");
    assertRefused(unknownId, "schema id 99");
    assertRefused(Arrays.copyOf(good, good.length - 2), "cannot be read as RequestControl");
    assertRefused(Arrays.copyOf(good, good.length + 1), "goes on after the end");
    assertRefused(
        serializer.serialize("completions", CompletionEvent.newBuilder().build()),
        "written as io.lensflow.records.CompletionEvent");
    int id = stub.add("\"string\"");
    assertRefused(new byte[] {0, 0, 0, 0, (byte) id, 0}, "written as string");
  }

  @Test
  void shouldOnlyEverRefuseWhenBytesAreBroken() {
    byte[] good = serializer.serialize(TOPIC, chunk(300, 3));
    Random random = new Random(11);
    for (int i = 0; i < 20_000; i++) {
      byte[] broken = good.clone();
      for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
        broken[5 + random.nextInt(broken.length - 5)] = (byte) random.nextInt();
      }
      try {
        chunks.deserialize(TOPIC, broken);
      } catch (RecordFormatException expected) {
        assertThat(expected.getMessage()).isNotBlank();
      }
    }
  }

  @Test
  void shouldNotBlameTheRecordWhenTheRegistryIsAway() {
    byte[] bytes = serializer.serialize(TOPIC, control());
    stub.close();

    assertThatThrownBy(() -> controls.deserialize(TOPIC, bytes))
        .isInstanceOf(SchemaRegistryException.class)
        .isNotInstanceOf(SerializationException.class);
  }

  @Test
  void shouldNameTheFieldWhenItIsNotSet() {
    RequestControl incomplete = control();
    incomplete.setRequestId(null);

    assertThatThrownBy(() -> serializer.serialize(TOPIC, incomplete))
        .isInstanceOf(SerializationException.class)
        .hasMessageContaining("RequestControl")
        .hasMessageContaining("requestId");
  }

  private void assertRefused(byte[] bytes, String reason) {
    assertThatThrownBy(() -> controls.deserialize(TOPIC, bytes))
        .isInstanceOf(RecordFormatException.class)
        .hasMessageContaining(reason);
  }

  private static RequestControl control() {
    return RequestControl.newBuilder()
        .setRequestId("r")
        .setType(ControlType.CANCEL)
        .setCreatedAt(Instant.parse("2026-01-01T00:00:00.000123Z"))
        .build();
  }

  private static ActivationChunk chunk(int payloadBytes, int seed) {
    byte[] payload = new byte[payloadBytes];
    new Random(seed).nextBytes(payload);
    return ActivationChunk.newBuilder()
        .setRequestId("request " + seed)
        .setSequence(seed)
        .setLabels(Map.of("k", "v"))
        .setProducedAt(Instant.ofEpochMilli(1_700_000_000_000L + seed))
        .setHookPoint(HookPoint.RESIDUAL_POST)
        .setLayers(IntStream.range(0, 32).boxed().toList())
        .setPositions(List.of(0, 1, 2))
        .setNextTokenIds(Arrays.asList(5, 6, null))
        .setDtype(ElementType.BFLOAT16)
        .setShape(List.of(32, 3, 576))
        .setPayload(ByteBuffer.wrap(payload))
        .setFinalRow(ByteBuffer.wrap(payload, 0, payloadBytes / 2))
        .setSteering(List.of(AppliedSteering.newBuilder().setName("v").setVersion(1).build()))
        .build();
  }
}
