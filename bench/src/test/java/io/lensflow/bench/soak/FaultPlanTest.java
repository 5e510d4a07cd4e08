package io.lensflow.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.bench.soak.Fault.Kind;
import io.lensflow.bench.soak.Target.Role;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class FaultPlanTest {
  private static final Duration DURATION = Duration.ofMinutes(2);

  @Test
  void shouldBeTheSameWhenTheSeedIs() {
    assertThat(FaultPlan.of(7, DURATION, 20)).isEqualTo(FaultPlan.of(7, DURATION, 20));
    assertThat(FaultPlan.of(7, DURATION, 20)).isNotEqualTo(FaultPlan.of(8, DURATION, 20));
  }

  @Test
  void shouldHoldOneOfEachWhenThereIsRoom() {
    for (long seed = 0; seed < 50; seed++) {
      List<Fault> plan = FaultPlan.of(seed, DURATION, FaultPlan.LEAST);
      assertThat(count(plan, Kind.KILL, Role.WORKER)).isEqualTo(2);
      assertThat(count(plan, Kind.KILL, Role.DECODER)).isEqualTo(2);
      assertThat(count(plan, Kind.KILL, Role.BROKER)).isEqualTo(1);
      assertThat(count(plan, Kind.HANG, Role.WORKER)).isEqualTo(1);
      assertThat(count(plan, Kind.HANG, Role.DECODER)).isEqualTo(1);
    }
  }

  @Test
  void shouldLieWithinTheRunByTimeWhateverTheSeed() {
    for (long seed = 0; seed < 50; seed++) {
      List<Fault> plan = FaultPlan.of(seed, DURATION, 15);
      assertThat(plan).hasSize(15).isSortedAccordingTo((a, b) -> a.at().compareTo(b.at()));
      assertThat(plan)
          .allSatisfy(fault -> assertThat(fault.at()).isBetween(Duration.ZERO, DURATION));
    }
  }

  @Test
  void shouldNotStrikeWhoIsDownAlreadyWhenThereIsTime() {
    for (long seed = 0; seed < 50; seed++) {
      List<Fault> plan = FaultPlan.of(seed, Duration.ofMinutes(30), 50);
      for (Target target : Target.values()) {
        Duration end = Duration.ZERO;
        for (Fault fault : plan.stream().filter(f -> f.target() == target).toList()) {
          assertThat(fault.at()).isGreaterThanOrEqualTo(end);
          end = fault.end();
        }
      }
    }
  }

  private static long count(List<Fault> plan, Kind kind, Role role) {
    return plan.stream().filter(f -> f.kind() == kind && f.target().role() == role).count();
  }
}
