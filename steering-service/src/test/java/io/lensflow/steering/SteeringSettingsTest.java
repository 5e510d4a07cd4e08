package io.lensflow.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.service.SettingsException;
import io.lensflow.steering.build.BuildLimits;
import io.lensflow.steering.evaluate.EvaluateLimits;
import io.lensflow.steering.job.JobSettings;
import io.lensflow.steering.pipeline.PipelineSettings;
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
                64,
                Map.of(),
                new JobSettings(2, 16, 200, 4 << 20, Duration.ofSeconds(2)),
                new PipelineSettings(2, 64 << 20, Duration.ofHours(1)),
                new BuildLimits(128 << 20, 4 << 20),
                new EvaluateLimits(2000, 41, 100_000, 256, 32, 512, 128 << 20),
                settings.tokens()));
  }

  @Test
  void shouldDropTheSlashWhenAnAdvertisedUrlEndsInOne() {
    assertThat(
            SteeringSettings.load(Map.of("lensflow.steering.advertised-url", "http://a:1/"))
                .advertisedUrl())
        .contains(URI.create("http://a:1"));
  }

  @Test
  void shouldReadTokenizersByServedName() {
    assertThat(
            SteeringSettings.load(
                    Map.of("lensflow.steering.tokenizers", "a=/models/a, b=org/name@v1"))
                .tokenizers())
        .isEqualTo(Map.of("a", "/models/a", "b", "org/name@v1"));
  }

  @ParameterizedTest
  @CsvSource({
    "port, 70000",
    "session-timeout, 1 ms",
    "transaction-timeout, 2 h",
    "start-timeout, soon",
    "max-body-bytes, 10",
    "max-sites, 0",
    "max-waiting-callers, 0",
    "tokenizers, demo",
    "jobs.max-running, 0",
    "jobs.max-request-bytes, 10",
    "jobs.request-deadline, 8 days",
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
