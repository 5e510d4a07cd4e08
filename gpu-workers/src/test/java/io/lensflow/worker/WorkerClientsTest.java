package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import java.net.URI;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.junit.jupiter.api.Test;

class WorkerClientsTest {
  private static final String TIMEOUT = ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG;

  @Test
  void shouldWaitForTheBrokerAsLongAsARequestMayRunWhenNobodySaysHowLong() {
    assertThat(patience("10m", Map.of())).containsEntry(TIMEOUT, 600_000);
  }

  @Test
  void shouldNotWaitLessThanKafkaDoesWhenRequestsMayRunForSecondsOnly() {
    assertThat(patience("5s", Map.of())).containsEntry(TIMEOUT, 120_000);
  }

  @Test
  void shouldLeaveTheUsersDeliveryTimeoutAloneWhenThereIsOne() {
    assertThat(patience("10m", Map.of(TIMEOUT, "6000"))).doesNotContainKey(TIMEOUT);
  }

  private static Map<String, Object> patience(String maxRequestTime, Map<String, String> users) {
    WorkerSettings settings =
        WorkerSettings.load(
            Map.of(
                "lensflow.worker.model",
                "/models/tiny",
                "lensflow.worker.max-request-time",
                maxRequestTime));
    KafkaSettings kafka =
        new KafkaSettings("localhost:1", URI.create("http://localhost:1"), "", 1, (short) 1, users);
    return new WorkerClients(settings, new KafkaClients(kafka)).patient();
  }
}
