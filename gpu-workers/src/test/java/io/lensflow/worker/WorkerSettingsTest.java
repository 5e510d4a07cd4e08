package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.engine.EngineOptions;
import io.lensflow.hub.ModelId;
import io.lensflow.hub.ModelSource;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.SettingsException;
import io.lensflow.worker.scheduling.BatchLane;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkerSettingsTest {
  private static WorkerSettings load(Map<String, Object> changes) {
    Map<String, Object> overrides = new HashMap<>();
    overrides.put("lensflow.worker.model", "/models/tiny");
    changes.forEach((key, value) -> overrides.put("lensflow.worker." + key, value));
    return WorkerSettings.load(overrides);
  }

  @Test
  void shouldHaveTheseDefaults() {
    WorkerSettings settings = load(Map.of());

    assertThat(settings.name()).isNotBlank();
    assertThat(settings.servedName()).isEqualTo("tiny");
    assertThat(settings.engine().dtype()).isNull();
    assertThat(settings.engine().ranks()).isEqualTo(1);
    assertThat(settings.engine().devices()).isEmpty();
    assertThat(settings.engine().deterministic()).isFalse();
    assertThat(settings.engine().stagingBytes())
        .isEqualTo(EngineOptions.defaults().stagingBytes())
        .isEqualTo(256 << 20);
    assertThat(settings.engine().kvTokens()).isEqualTo(16384);
    assertThat(settings.engine().threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(settings.intake().slots()).isEqualTo(16);
    assertThat(settings.intake().maxAttempts()).isEqualTo(3);
    assertThat(settings.intake().maxRequestTime()).isEqualTo(Duration.ofMinutes(30));
    assertThat(settings.intake().maxSteeringWait()).isEqualTo(Duration.ofSeconds(5));
    assertThat(settings.prefillChunk()).isEqualTo(128);
    assertThat(settings.requests().source()).isEqualTo(WorkerSettings.Source.SHARE_GROUP);
    assertThat(settings.requests().from()).isEqualTo(WorkerSettings.Topic.DEFAULT);
    assertThat(settings.batch()).isEqualTo(new BatchLane(8, 0.1, 0.25, Duration.ofSeconds(30)));
    assertThat(settings.intake().batchSlots()).isEqualTo(8);
    assertThat(settings.createTopics()).isFalse();
    assertThat(settings.heartbeatInterval()).isEqualTo(Duration.ofSeconds(2));
    assertThat(settings.stopTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(settings.publisher().chunks().maxRecordBytes()).isEqualTo(1_000_000);
    assertThat(settings.publisher().chunks().maxRows()).isEqualTo(256);
    assertThat(settings.publisher().chunks().flushInterval()).isEqualTo(Duration.ofMillis(100));
    assertThat(settings.publisher().bufferBytes()).isEqualTo(128 * 1024 * 1024);
    assertThat(settings.publisher().compression()).isEqualTo("none");
    assertThat(settings.steeringPatience()).isEqualTo(Duration.ofSeconds(5));
    assertThat(settings.restart().minBackoff()).isEqualTo(Duration.ofMillis(200));
    assertThat(settings.restart().maxBackoff()).isEqualTo(Duration.ofSeconds(10));
    assertThat(settings.restart().maxRestarts()).isEqualTo(10);
    assertThat(settings.http().host()).isEqualTo("127.0.0.1");
    assertThat(settings.http().port()).isEqualTo(8082);
  }

  @Test
  void shouldReadWhatIsGiven() {
    WorkerSettings settings =
        load(
            Map.of(
                "dtype", "bfloat16",
                "ranks", 2,
                "devices", "cuda:0, cuda:1",
                "engine.deterministic", true,
                "request-source", "classic-group",
                "request-topic", "batch",
                "served-name", "org/tiny"));
    TopicCatalogue topics = new TopicCatalogue("p.", 3, (short) 1);

    assertThat(settings.engine().dtype()).isEqualTo(DType.BFLOAT16);
    assertThat(settings.engine().ranks()).isEqualTo(2);
    assertThat(settings.engine().devices()).containsExactly("cuda:0", "cuda:1");
    assertThat(settings.engine().deterministic()).isTrue();
    String safe = TopicCatalogue.topicSafe("org/tiny");
    assertThat(settings.requests().topic(topics, "org/tiny"))
        .isEqualTo("p.prompt-requests." + safe + ".batch");
    assertThat(settings.requests().groupId(topics, "org/tiny"))
        .isEqualTo("p.workers." + safe + ".batch.classic");
    assertThat(settings.batch().isServed()).isFalse();
  }

  @Test
  void shouldTakeTheBatchLaneThroughAGroupOfItsOwn() {
    TopicCatalogue topics = new TopicCatalogue("p.", 3, (short) 1);
    WorkerSettings.Requests plain = load(Map.of()).requests();
    WorkerSettings.Requests named =
        load(Map.of("group", "mine", "request-source", "classic-group")).requests();

    assertThat(plain.groupId(topics, "tiny")).isEqualTo("p.workers.tiny");
    assertThat(plain.batchGroupId(topics, "tiny")).isEqualTo("p.workers.tiny.batch");
    assertThat(named.groupId(topics, "tiny")).isEqualTo("p.mine.classic");
    assertThat(named.batchGroupId(topics, "tiny")).isEqualTo("p.mine.batch.classic");
  }

  @Test
  void shouldServeAModelOfTheHubUnderItsName() {
    WorkerSettings settings = load(Map.of("model", "org/name@v1"));

    assertThat(settings.model()).isEqualTo(new ModelSource.OnHub(ModelId.parse("org/name@v1")));
    assertThat(settings.servedName()).isEqualTo("name");
  }

  @ParameterizedTest
  @CsvSource({
    "model, '', model",
    "model, org/na--me, model",
    "name, a b, name",
    "dtype, int8, dtype",
    "ranks, 0, ranks",
    "devices, 'cpu,cpu', 2 devices for 1 ranks",
    "devices, gpu, gpu",
    "engine.staging-bytes, 0, engine.staging-bytes",
    "engine.deterministic, often, engine.deterministic",
    "engine.exact, true, engine.exact",
    "kv-tokens, 0, kv-tokens",
    "slots, 0, slots",
    "batch.slots, -1, batch.slots",
    "batch.step-share, 0, batch.step-share",
    "batch.step-share, 1, batch.step-share",
    "batch.kv-share, 0, batch.kv-share",
    "batch.kv-share, 1.1, batch.kv-share",
    "batch.patience, -1s, batch.patience",
    "batch.slotz, 1, slotz",
    "max-attempts, 0, max-attempts",
    "prefill-chunk, 0, prefill-chunk",
    "max-request-time, 0s, max-request-time",
    "request-source, queue, request-source",
    "request-topic, all, request-topic",
    "publisher.max-record-bytes, 100, publisher.max-record-bytes",
    "publisher.buffer-bytes, 5000, publisher.buffer-bytes",
    "publisher.flush-interval, 1ms, publisher.flush-interval",
    "http.port, 70000, http.port",
    "slotz, 3, slotz"
  })
  void shouldNameTheKeyWhenAValueIsBad(String key, String value, String named) {
    assertThatThrownBy(() -> load(Map.of(key, value)))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("lensflow.worker")
        .hasMessageContaining(named);
  }
}
