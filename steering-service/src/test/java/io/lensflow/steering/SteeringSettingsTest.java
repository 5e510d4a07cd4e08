package io.lensflow.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.service.SettingsException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SteeringSettingsTest {
  @Test
  void shouldHaveTheseDefaults() {
    SteeringSettings settings = SteeringSettings.load(Map.of());
    assertThat(settings.tokens().required()).isFalse();
    assertThat(settings)
        .isEqualTo(
            new SteeringSettings(
                "0.0.0.0",
                8083,
                Optional.empty(),
                Duration.ofSeconds(6),
                Duration.ofSeconds(10),
                Duration.ofSeconds(60),
                32 << 20,
                1024,
                settings.tokens()));
  }

  @Test
  void shouldDropTheSlashWhenAnAdvertisedUrlEndsInOne() {
    assertThat(
            SteeringSettings.load(Map.of("lensflow.steering.advertised-url", "http://a:1/"))
                .advertisedUrl())
        .contains(URI.create("http://a:1"));
  }

  @ParameterizedTest
  @CsvSource({
    "port, 70000",
    "session-timeout, 1 ms",
    "transaction-timeout, 2 h",
    "start-timeout, soon",
    "max-body-bytes, 10",
    "max-sites, 0",
    "auth.read-tokens, ann",
    "auth.write-tokens, ann:short",
    "advertised-url, somewhere",
    "prot, 1"
  })
  void shouldNameTheKeyWhenASettingIsBad(String key, String value) {
    assertThatThrownBy(() -> SteeringSettings.load(Map.of("lensflow.steering." + key, value)))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(key);
  }
}
