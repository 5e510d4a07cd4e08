package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.hub.ModelId;
import io.lensflow.hub.ModelSource;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.SettingsException;
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
    assertThat(settings.engine().kvTokens()).isEqualTo(16384);
    assertThat(settings.engine().threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(settings.intake().slots()).isEqualTo(16);
    assertThat(settings.intake().maxAttempts()).isEqualTo(3);
    assertThat(settings.intake().maxRequestTime()).isEqualTo(Duration.ofMinutes(30));
    assertThat(settings.intake().maxSteeringWait()).isEqualTo(Duration.ofSeconds(5));
    assertThat(settings.prefillChunk()).isEqualTo(128);
    assertThat(settings.requests().source()).isEqualTo(WorkerSettings.Source.SHARE_GROUP);
    assertThat(settings.requests().lane()).isEqualTo(WorkerSettings.Lane.DEFAULT);
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
                "request-source", "classic-group",
                "request-topic", "batch",
                "served-name", "org/tiny"));
    TopicCatalogue topics = new TopicCatalogue("p.", 3, (short) 1);

    assertThat(settings.engine().dtype()).isEqualTo(DType.BFLOAT16);
    String safe = TopicCatalogue.topicSafe("org/tiny");
    assertThat(settings.requests().topic(topics, "org/tiny"))
        .isEqualTo("p.prompt-requests." + safe + ".batch");
    assertThat(settings.requests().groupId(topics, "org/tiny"))
        .isEqualTo("p.workers." + safe + ".batch.classic");
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
    "ranks, 2, ranks",
    "kv-tokens, 0, kv-tokens",
    "slots, 0, slots",
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
