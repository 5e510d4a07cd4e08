package io.lensflow.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.LensMetric;
import io.lensflow.records.PromptRequest;
import org.junit.jupiter.api.Test;

class TrustedRecordsTest {
  @Test
  void shouldBuildRecordsOfDefaultsWhenNoSystemPropertySaysThatTheyAreTrusted() {
    assertThat(System.getProperty("org.apache.avro.SERIALIZABLE_PACKAGES")).isNull();

    PromptRequest request = PromptRequest.newBuilder().build();

    assertThat(request.getLenses().get(0).getMetrics()).contains(LensMetric.ENTROPY);
  }
}
