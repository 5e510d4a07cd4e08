package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.hub.ModelSource;
import io.lensflow.service.SettingsException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecoderSettingsTest {
  private static final Map<String, Object> REQUIRED =
      Map.of("lensflow.decoder.model", "m", "lensflow.decoder.checkpoint", "/models/m");

  @Test
  void shouldHaveTheseDefaults() {
    assertThat(DecoderSettings.load(REQUIRED))
        .isEqualTo(
            new DecoderSettings(
                "m",
                ModelSource.of("/models/m"),
                "",
                0,
                256,
                Duration.ofMillis(50),
                64L << 20,
                1000,
                new LensSettings(Optional.empty(), Duration.ofSeconds(2), 2L << 30, 256L << 20),
                900 << 10,
                Duration.ofMillis(50),
                4L << 20,
                Duration.ofSeconds(10),
                Duration.ofSeconds(6),
                "127.0.0.1",
                8084));
  }

  @Test
  void shouldHoldTheLensesOfAFolderWhenOneIsNamed() {
    Map<String, Object> settings = new HashMap<>(REQUIRED);
    settings.put("lensflow.decoder.lenses", "/lenses");

    assertThat(DecoderSettings.load(settings).lenses().folder()).contains(Path.of("/lenses"));
  }

  @Test
  void shouldTakeTheCheckpointsNameWhenNoneIsGiven() {
    assertThat(DecoderSettings.load(Map.of("lensflow.decoder.checkpoint", "/models/smol")).model())
        .isEqualTo("smol");
    assertThat(DecoderSettings.load(Map.of("lensflow.decoder.checkpoint", "org/name@v1")).model())
        .isEqualTo("name");
  }

  @ParameterizedTest
  @CsvSource({
    "checkpoint, ''",
    "checkpoint, org/na--me",
    "threads, -1",
    "batch-rows, 0",
    "batch-rows, many",
    "batch-deadline, 2h",
    "max-held-bytes, 1",
    "max-top-k, 0",
    "lenses-interval, 1ms",
    "max-lens-bytes, 1",
    "max-vector-bytes, 1",
    "max-result-bytes, 10",
    "transaction-age, 0ms",
    "transaction-bytes, 0",
    "transaction-timeout, 10ms",
    "session-timeout, 10ms",
    "port, 65536",
    "batch-row, 256"
  })
  void shouldNameTheKeyWhenValueIsBadOrUnknown(String key, String value) {
    Map<String, Object> settings = new HashMap<>(REQUIRED);
    settings.put("lensflow.decoder." + key, value);

    assertThatThrownBy(() -> DecoderSettings.load(settings))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("lensflow.decoder")
        .hasMessageContaining(key);
  }
}
