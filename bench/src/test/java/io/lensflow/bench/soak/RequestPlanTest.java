package io.lensflow.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.soak.PlannedRequest.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RequestPlanTest {
  private static final int LAYERS = 8;

  @Test
  void shouldBeTheSameWhenTheSeedIs() {
    List<PlannedRequest> first = plan(3);
    List<PlannedRequest> second = plan(3);
    assertThat(second).extracting(PlannedRequest::at).isEqualTo(times(first));
    assertThat(second)
        .extracting(PlannedRequest::request)
        .isEqualTo(first.stream().map(PlannedRequest::request).toList());
    assertThat(second)
        .usingElementComparator((a, b) -> Arrays.compare(bytes(a), bytes(b)))
        .isEqualTo(first);
    assertThat(times(plan(4))).isNotEqualTo(times(first));
  }

  @Test
  void shouldHaveEveryKindAndAboutTheRateWhenItIsLong() {
    List<PlannedRequest> plan = plan(5);
    assertThat(plan).hasSizeBetween(400, 560);
    Set<Kind> kinds = plan.stream().map(PlannedRequest::kind).collect(Collectors.toSet());
    assertThat(kinds).containsExactlyInAnyOrder(Kind.values());
    assertThat(plan)
        .filteredOn(planned -> planned.kind() == Kind.STEERED)
        .allSatisfy(planned -> assertThat(planned.request().getSteering()).isNotEmpty());
  }

  private static List<PlannedRequest> plan(long seed) {
    SoakSettings settings =
        new SoakSettings(
            seed, Duration.ofMinutes(2), 0, 4, Path.of("."), Path.of("."), "python3", Map.of());
    return RequestPlan.of(settings, "m", LAYERS, List.of("a", "b"));
  }

  private static List<Duration> times(List<PlannedRequest> plan) {
    return plan.stream().map(PlannedRequest::at).toList();
  }

  private static byte[] bytes(PlannedRequest planned) {
    return planned.bytes() == null ? new byte[0] : planned.bytes();
  }
}
