package io.lensflow.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.CheckpointFolder;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Thousands of steps leave native memory where it was. */
class NativeMemoryTest {
  private static final int WINDOWS = 16;
  private static final int STEPS_PER_WINDOW = 50;
  private static final int WARM_UP_STEPS = 400;
  private static final int QUIET_WINDOWS = 3;

  /** What a long sequence and a short one fill; the short one lies in the middle. */
  private static final int POOL = 64;

  private static final int SHORT = 16;
  private static final int LONG = 48;

  /**
   * Less than the smallest thing that a step could forget. The quietest windows count: the Java
   * compilers' own memory comes and goes by megabytes, but not in all of them.
   */
  private static final long ALLOWED_BYTES_PER_STEP = 100;

  private static final float[] VECTOR = {1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2};

  @TempDir private Path folder;

  private static Stream<EngineOptions> options() {
    // A staging so small that steps are cut, and made anew whenever the hook points change.
    EngineOptions one = EngineOptions.defaults().withKvTokens(POOL).withStagingBytes(4096);
    return Stream.of(
        one, one.withRanks(2).withThreads(2), one.withDeterministic(true).withStagingBytes(16384));
  }

  @ParameterizedTest
  @MethodSource("options")
  void shouldStayFlatWhenSequencesComeAndGo(EngineOptions options) throws IOException {
    new CheckpointFolder(folder).write();
    try (Engine engine = EngineLoader.load(folder, options);
        LensHead lens = LensHead.load(folder, LensHeadOptions.defaults())) {
      run(engine, lens, WARM_UP_STEPS);
      long[] growth = new long[WINDOWS];
      long before = NativeHeap.bytesInUse();
      for (int window = 0; window < WINDOWS; window++) {
        run(engine, lens, STEPS_PER_WINDOW);
        long after = NativeHeap.bytesInUse();
        growth[window] = Math.abs(after - before);
        before = after;
      }
      Arrays.sort(growth);
      assertThat(growth[QUIET_WINDOWS] / STEPS_PER_WINDOW)
          .as("bytes per step, windows grew by %s", Arrays.toString(growth))
          .isLessThan(ALLOWED_BYTES_PER_STEP);
    }
  }

  /** Every round captures at other hook points, and its sequences get scattered blocks. */
  private static void run(Engine engine, LensHead lens, int steps) {
    for (int done = 0, round = 0; done < steps; round++) {
      Sequence hole = open(engine, SHORT, CapturePlan.NONE, List.of());
      try (PreparedVector vector = engine.prepare(VECTOR);
          Sequence plain = open(engine, SHORT, CapturePlan.NONE, List.of())) {
        hole.close();
        try (Sequence captured = open(engine, LONG, plan(engine, round), sites(vector, round))) {
          while (captured.length() < LONG && done < steps) {
            int[] ids = captured.length() == 0 ? new int[] {1, 2, 3, 4, 5} : new int[] {2};
            List<StepInput> inputs = new ArrayList<>();
            inputs.add(new StepInput(captured, ids, Logits.LAST));
            if (plain.length() < SHORT) {
              inputs.add(new StepInput(plain, new int[] {3}, Logits.SUMMARY));
            }
            StepOutput output = engine.step(inputs).get(0);
            lens.decode(
                LensBatch.of(output.finalRows().payload(), DType.FLOAT32, ids.length),
                LensMetrics.summary(3));
            done++;
          }
        }
      }
    }
  }

  private static Sequence open(
      Engine engine, int length, CapturePlan plan, List<SteeringSite> steering) {
    return engine.open(new SequenceOptions(4, length, plan, steering));
  }

  private static CapturePlan plan(Engine engine, int round) {
    HookPoint[] points = HookPoint.values();
    int first = round % points.length;
    int last = Math.min(points.length, first + 1 + round % 4);
    return new CapturePlan(
        Arrays.asList(points).subList(first, last),
        round % 3 == 0 ? List.of(1) : List.of(0, 1),
        PositionSpec.ALL,
        true);
  }

  private static List<SteeringSite> sites(PreparedVector vector, int round) {
    SteeringOperation[] operations = SteeringOperation.values();
    return List.of(
        new SteeringSite(
            vector, 1, HookPoint.RESIDUAL_MID, SteeringOperation.ADD, 0.5f, PositionSpec.ALL, true),
        new SteeringSite(
            vector,
            round % 2,
            HookPoint.values()[round % HookPoint.values().length],
            operations[round % operations.length],
            0.5f,
            PositionSpec.parse("generated"),
            false));
  }
}
