package io.lensflow.engine.lens;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.DType;
import io.lensflow.engine.Golden;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every metric of the exact path, against float64 metrics of transformers' logits, and the fast
 * path against the exact one.
 */
class LensGoldenTest {
  private static final LensMetrics ALL =
      new LensMetrics(5, true, true, 1, true, true, LensAccuracy.FAST);

  private static final LensMetrics FAST =
      new LensMetrics(5, true, true, 1, false, false, LensAccuracy.FAST);

  /** Blocks that divide neither rows nor vocabulary, and runs on devices of their own. */
  static Stream<Arguments> fixtures() {
    List<LensHeadOptions> options =
        List.of(
            LensHeadOptions.defaults().withThreads(1),
            new LensHeadOptions(7, 100, 3),
            new LensHeadOptions(16, 64, 1).withDevices(List.of("cpu:0", "cpu:0")));
    return Stream.of("tiny-llama31", "tiny-qwen3", "tiny-qwen2", "tiny-mistral")
        .flatMap(fixture -> options.stream().map(option -> Arguments.of(fixture, option)));
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void shouldGiveGoldenMetricsWhenRowsAreGolden(String fixture, LensHeadOptions options)
      throws IOException {
    try (Golden golden = Golden.of(fixture);
        LensHead head = LensHead.load(SharedData.folder("fixtures/" + fixture), options)) {
      for (String name : new String[] {"case0", "case1", "case2", "case3"}) {
        compare(golden, head, name, HookPoint.RESIDUAL_POST);
      }
      compare(golden, head, "case1", HookPoint.ATTENTION_INPUT);
      compare(golden, head, "case1", HookPoint.RESIDUAL_MID);
    }
  }

  private static void compare(Golden golden, LensHead head, String name, HookPoint hookPoint)
      throws IOException {
    float[] values = golden.floats(name + "." + hookPoint.fileName());
    int layers = head.config().layers();
    int d = head.config().hiddenSize();
    int n = values.length / d;
    int positions = n / layers;
    float[] residuals = golden.floats(name + ".residual_post");
    ByteBuffer finals = LensHeadTest.bytes(residuals);
    finals.position((n - positions) * d * Float.BYTES);
    int[] ids =
        IntStream.concat(
                IntStream.of(golden.integers(name + ".prompt_ids")),
                IntStream.of(golden.integers(name + ".greedy_ids")))
            .skip(1)
            .toArray();
    assertThat(ids).hasSize(positions);
    LensBatch batch =
        LensBatch.of(LensHeadTest.bytes(values), DType.FLOAT32, n)
            .withTargets(IntStream.range(0, n).map(row -> ids[row % positions]).toArray())
            .withFinalRows(finals, IntStream.range(0, n).map(row -> row % positions).toArray());
    LensRows exact = head.decode(batch, ALL);
    LensGolden.compare(golden, name + ".lens." + hookPoint.fileName() + ".", exact, 1e-5f);
    LensRows fast = head.decode(batch, FAST);
    LensGolden.compareFast(fast, exact);
    assertThat(fast.kl()).isNull();
    // A head that is not stored in bfloat16 has one path only.
    boolean same = Arrays.equals(fast.entropy(), exact.entropy());
    assertThat(same).isEqualTo(head.fastest() == LensAccuracy.EXACT);
  }
}
