package io.lensflow.schemas.lens;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServedLensesTest {
  @Test
  void shouldServeWhatAnEmptyRequestMeans() {
    assertThat(ServedLenses.refusal(LensRequest.newBuilder().build())).isEmpty();
  }

  @Test
  void shouldNameTheLensWhenItIsNotThere() {
    assertThat(ServedLenses.refusal(LensRequest.newBuilder().setName("tuned").build()))
        .hasValueSatisfying(
            refusal -> {
              assertThat(refusal.field()).isEqualTo("name");
              assertThat(refusal.message()).contains("tuned", "logit");
            });
  }

  @Test
  void shouldNameTheMetricWhenItIsNotComputed() {
    LensRequest lens =
        LensRequest.newBuilder().setMetrics(List.of(LensMetric.TOP_K, LensMetric.JS)).build();
    assertThat(ServedLenses.refusal(lens))
        .hasValueSatisfying(
            refusal -> {
              assertThat(refusal.field()).isEqualTo("metrics");
              assertThat(refusal.message()).contains("JS");
            });
  }
}
