package io.lensflow.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.service.SettingsException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IngestSettingsTest {
  @Test
  void shouldHaveTheseDefaultsWhenNothingIsSet() {
    assertThat(IngestSettings.load(Map.of()))
        .isEqualTo(
            new IngestSettings(
                "127.0.0.1",
                8080,
                List.of(),
                900 * 1024,
                Duration.ofDays(7),
                Duration.ofSeconds(10),
                true,
                new StreamSettings(
                    500,
                    8 << 20,
                    Duration.ofSeconds(15),
                    16,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(60),
                    Duration.ofMinutes(15),
                    Duration.ofSeconds(60))));
  }

  @Test
  void shouldReadSeveralOriginsWhenTheyStandInOneString() {
    assertThat(
            IngestSettings.load(
                    Map.of(
                        "lensflow.ingest.allowed-origins", "https://a.example, https://b.example"))
                .allowedOrigins())
        .containsExactly("https://a.example", "https://b.example");
  }

  @ParameterizedTest
  @CsvSource({
    "port, 70000",
    "port, http",
    "max-request-bytes, 3",
    "broker-timeout, 1ms",
    "max-deadline, 0s",
    "streams.max, 0",
    "streams.readers, 0",
    "streams.buffer-bytes, 10",
    "streams.heartbeat, 0s",
    "streams.result-wait, 3s",
  })
  void shouldNameTheKeyWhenItIsWrong(String key, String value) {
    assertThatThrownBy(() -> IngestSettings.load(Map.of("lensflow.ingest." + key, value)))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("lensflow.ingest")
        .hasMessageContaining(key);
  }
}
