package io.lensflow.decoder.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringVector;
import io.lensflow.records.VectorManifest;
import io.lensflow.records.VectorRecordType;
import io.lensflow.records.VectorSite;
import io.lensflow.records.VectorSiteRef;
import io.lensflow.schemas.serde.RecordFormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class VectorBookTest {
  private final Map<String, SteeringVector> values = new HashMap<>();
  private final List<ConsumerRecord<byte[], byte[]>> topic = new ArrayList<>();
  private final VectorBook book = book(1 << 20);

  @Test
  void shouldGiveDirectionsOfNormOneAtTheSitesAndNowhereElse() throws Exception {
    publish("calm", 3, site(1, 3f, 0f, 4f, 0f));

    VectorSource.Sites sites = book.sites("calm@3");

    assertThat(sites.direction(HookPoint.RESIDUAL_POST, 1)).containsExactly(0.6f, 0f, 0.8f, 0f);
    assertThat(sites.direction(HookPoint.RESIDUAL_POST, 0)).isNull();
    assertThat(sites.direction(HookPoint.MLP_OUTPUT, 1)).isNull();
  }

  @Test
  void shouldCountAVersionOnlyOnceItIsWhole() throws Exception {
    VectorSite site = site(1, 1f, 0f, 0f, 0f);
    send(
        "calm@1", vector("calm", 1).setType(VectorRecordType.MANIFEST).setManifest(manifest(site)));
    book.caughtUp();
    assertThatThrownBy(() -> book.sites("calm@1")).hasMessageContaining("knows no vector 'calm@1'");

    send("calm@1/RESIDUAL_POST/1", vector("calm", 1).setType(VectorRecordType.SITE).setSite(site));

    assertThat(book.sites("calm@1").direction(HookPoint.RESIDUAL_POST, 1)).isNotNull();
  }

  @Test
  void shouldSayWhyWhenAVectorCannotBeUsed() {
    VectorSite lying = site(1, 1f, 0f, 0f, 0f);
    lying.setCrc32c(1);
    publish("lying", 1, lying);
    publish("far", 1, site(7, 1f, 0f, 0f, 0f));

    assertThatThrownBy(() -> book.sites("lying@1"))
        .isInstanceOf(UnknownVectorException.class)
        .hasMessageContaining("wrong checksum");
    assertThatThrownBy(() -> book.sites("far@1")).hasMessageContaining("no layer 7");
  }

  @Test
  void shouldForgetAVersionWhenItsTombstoneComes() throws Exception {
    publish("calm", 1, site(1, 1f, 0f, 0f, 0f));
    assertThat(book.sites("calm@1")).isNotNull();
    book.caughtUp();

    topic.clear();
    topic.add(record("test-model/calm@1", null));
    book.records(topic, Map.of());

    assertThatThrownBy(() -> book.sites("calm@1")).isInstanceOf(UnknownVectorException.class);
  }

  @Test
  void shouldIgnoreOtherModelsAndWhatCannotBeRead() throws Exception {
    topic.add(record("another-model/calm@1", "never read"));
    topic.add(record("test-model/calm@1", "no record"));
    book.records(topic, Map.of());
    publish("calm", 2, site(1, 1f, 0f, 0f, 0f));

    assertThat(book.sites("calm@2")).isNotNull();
  }

  @Test
  void shouldWaitForAVectorThatIsOnItsWay() throws Exception {
    CompletableFuture<VectorSource.Sites> asked =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return book.sites("calm@1");
              } catch (UnknownVectorException e) {
                throw new IllegalStateException(e);
              }
            });

    publish("calm", 1, site(1, 1f, 0f, 0f, 0f));
    book.caughtUp();

    assertThat(asked.get(10, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void shouldDropTheLeastUsedWhenMemoryIsShort() throws Exception {
    int bytes = TestModel.SIZE * Float.BYTES;
    VectorBook small = book(2L * bytes);
    publish("first", 1, site(1, 1f, 0f, 0f, 0f));
    publish("second", 1, site(1, 1f, 0f, 0f, 0f));
    small.records(topic, Map.of());
    small.sites("first@1");
    topic.clear();
    publish("third", 1, site(1, 1f, 0f, 0f, 0f));
    small.records(topic, Map.of());

    assertThat(small.sites("first@1")).isNotNull();
    assertThat(small.sites("third@1")).isNotNull();
    assertThatThrownBy(() -> small.sites("second@1")).hasMessageContaining("max-vector-bytes");
  }

  private VectorBook book(long maxBytes) {
    return new VectorBook(TestChunks.checkpoint(), (topic, bytes) -> read(bytes), maxBytes);
  }

  private SteeringVector read(byte[] bytes) {
    String name = new String(bytes, StandardCharsets.UTF_8);
    if (name.equals("never read")) {
      throw new AssertionError("a record of another model was read");
    }
    if (!values.containsKey(name)) {
      throw new RecordFormatException(name);
    }
    return values.get(name);
  }

  private void publish(String name, int version, VectorSite site) {
    String key = name + "@" + version;
    send(
        key + "/RESIDUAL_POST/" + site.getLayer(),
        vector(name, version).setType(VectorRecordType.SITE).setSite(site));
    send(key, vector(name, version).setType(VectorRecordType.MANIFEST).setManifest(manifest(site)));
  }

  private void send(String key, SteeringVector.Builder value) {
    values.put(key, value.build());
    ConsumerRecord<byte[], byte[]> record = record("test-model/" + key, key);
    topic.add(record);
    book.records(List.of(record), Map.of());
  }

  private static SteeringVector.Builder vector(String name, int version) {
    return SteeringVector.newBuilder()
        .setModel(TestModel.NAME)
        .setName(name)
        .setVersion(version)
        .setCreatedAt(java.time.Instant.EPOCH);
  }

  private static VectorManifest manifest(VectorSite site) {
    return VectorManifest.newBuilder()
        .setHiddenSize(TestModel.SIZE)
        .setOperation(SteeringOperation.ADD)
        .setSites(
            List.of(
                VectorSiteRef.newBuilder()
                    .setHookPoint(site.getHookPoint())
                    .setLayer(site.getLayer())
                    .setCrc32c(site.getCrc32c())
                    .build()))
        .build();
  }

  private static VectorSite site(int layer, float... v) {
    ByteBuffer bytes = ByteBuffer.allocate(v.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(v);
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return VectorSite.newBuilder()
        .setHookPoint(HookPoint.RESIDUAL_POST)
        .setLayer(layer)
        .setValues(bytes)
        .setCrc32c(crc.getValue())
        .build();
  }

  private static ConsumerRecord<byte[], byte[]> record(String key, String value) {
    return new ConsumerRecord<>(
        "steering-vectors",
        0,
        0,
        key.getBytes(StandardCharsets.UTF_8),
        value == null ? null : value.getBytes(StandardCharsets.UTF_8));
  }
}
