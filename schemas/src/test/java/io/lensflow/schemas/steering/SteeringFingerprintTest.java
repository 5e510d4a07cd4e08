package io.lensflow.schemas.steering;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.AppliedSteering;
import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringSource;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SteeringFingerprintTest {
  @Test
  void shouldBeEmptyWhenNothingIsApplied() {
    assertThat(SteeringFingerprint.of(List.of())).isEmpty();
  }

  @Test
  void shouldStayTheSameForEverWhenTheListDoes() {
    // Results that were written long ago carry fingerprints: this one may never change.
    assertThat(SteeringFingerprint.of(List.of(applied().build())))
        .isEqualTo("f657288a2bfb7acff4834001736061e0");
  }

  @Test
  void shouldDifferWhenAnyFieldDoes() {
    Stream<UnaryOperator<AppliedSteering.Builder>> changes =
        Stream.of(
            b -> b,
            b -> b.setName("other"),
            b -> b.setVersion(3),
            b -> b.setLayer(5),
            b -> b.setHookPoint(HookPoint.MLP_INPUT),
            b -> b.setOperation(SteeringOperation.ABLATE),
            b -> b.setMultiplier(Math.nextUp(1.5f)),
            b -> b.setPositions("generated"),
            b -> b.setPreserveNorm(true),
            b -> b.setSource(SteeringSource.POLICY),
            b -> b.setPolicy("p@1"));

    List<String> fingerprints =
        changes
            .map(change -> SteeringFingerprint.of(List.of(change.apply(applied()).build())))
            .toList();

    assertThat(fingerprints).hasSize(11).doesNotHaveDuplicates();
  }

  @Test
  void shouldDifferWhenTheOrderDoes() {
    AppliedSteering one = applied().setName("one").build();
    AppliedSteering two = applied().setName("two").build();

    assertThat(SteeringFingerprint.of(List.of(one, two)))
        .isNotEqualTo(SteeringFingerprint.of(List.of(two, one)));
  }

  @Test
  void shouldNotBeForgedWhenANameHoldsSeparators() {
    Set<String> fingerprints =
        Stream.of("a\t2", "a\\t2", "a\n2", "a\\n2")
            .map(name -> SteeringFingerprint.of(List.of(applied().setName(name).build())))
            .collect(Collectors.toSet());

    assertThat(fingerprints).hasSize(4);
  }

  @Test
  void shouldBeEqualWhenZeroIsNegative() {
    assertThat(SteeringFingerprint.of(List.of(applied().setMultiplier(-0.0f).build())))
        .isEqualTo(SteeringFingerprint.of(List.of(applied().setMultiplier(0.0f).build())));
  }

  private static AppliedSteering.Builder applied() {
    return AppliedSteering.newBuilder()
        .setName("formal")
        .setVersion(2)
        .setLayer(4)
        .setHookPoint(HookPoint.ATTENTION_INPUT)
        .setOperation(SteeringOperation.ADD)
        .setMultiplier(1.5f)
        .setPositions("all")
        .setPreserveNorm(false)
        .setSource(SteeringSource.REQUEST);
  }
}
