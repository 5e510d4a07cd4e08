package io.lensflow.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
  @Test
  void shouldHaveTheDocumentedDefaults() {
    KafkaSettings settings = KafkaSettings.load(Map.of());
    assertThat(settings)
        .isEqualTo(
            new KafkaSettings(
                "localhost:9092",
                URI.create("http://localhost:8081"),
                "",
                12,
                (short) 1,
                Map.of()));
  }

  @Test
  void shouldNameTheKeyWhenItIsUnknown() {
    assertThatThrownBy(() -> KafkaSettings.load(Map.of("lensflow.kafka.bootstrap-server", "x:1")))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("unknown setting lensflow.kafka.bootstrap-server")
        .hasMessageContaining("bootstrap-servers");
  }

  @Test
  void shouldNameTheKeyWhenItsValueIsBad() {
    assertThatThrownBy(() -> KafkaSettings.load(Map.of("lensflow.kafka.request-partitions", 0)))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("request-partitions must be at least 1");
    assertThatThrownBy(
            () -> KafkaSettings.load(Map.of("lensflow.kafka.request-partitions", "many")))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("request-partitions");
  }

  @Test
  void shouldPassClientPropertiesThroughWithTheConfigurationWinningOverTheFile(@TempDir Path folder)
      throws Exception {
    Path file = folder.resolve("client.properties");
    Files.writeString(file, "security.protocol=SASL_SSL\nssl.endpoint.identification.algorithm=\n");
    KafkaSettings settings =
        KafkaSettings.load(
            Map.of(
                "lensflow.kafka.properties-file", file.toString(),
                "lensflow.kafka.properties",
                    Map.of("security.protocol", "SSL", "client.dns.lookup", "use_all_dns_ips")));
    assertThat(settings.properties())
        .containsEntry("security.protocol", "SSL")
        .containsEntry("ssl.endpoint.identification.algorithm", "")
        .containsEntry("client.dns.lookup", "use_all_dns_ips");
  }
}
