package io.lensflow.steering;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What an instance says that cannot start. */
@ExtendWith(KafkaExtension.class)
class BadStartIT {
  @Test
  void shouldNameThePortWhenItIsBusy(KafkaEnvironment kafka) throws IOException {
    try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> start(busy.getLocalPort(), Topics.settings(kafka)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("127.0.0.1:" + busy.getLocalPort());
    }
  }

  @Test
  void shouldNameTheServersWhenNoBrokerAnswers() {
    KafkaSettings nowhere =
        new KafkaSettings(
            "127.0.0.1:1",
            URI.create("http://127.0.0.1:1"),
            "",
            3,
            (short) 1,
            Map.of("default.api.timeout.ms", "1000", "request.timeout.ms", "500"));
    assertThatThrownBy(() -> start(0, nowhere))
        .isInstanceOf(KafkaException.class)
        .hasMessageContaining("127.0.0.1:1");
  }

  private static void start(int port, KafkaSettings kafka) throws Exception {
    SteeringSettings settings =
        SteeringSettings.load(
            Map.of("lensflow.steering.host", "127.0.0.1", "lensflow.steering.port", port));
    SteeringService.start(settings, kafka).close();
  }
}
