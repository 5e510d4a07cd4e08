package io.lensflow.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.checkpoint.CheckpointFolder;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Thousands of steps leave native memory where it was. */
class NativeMemoryTest {
  private static final int WINDOWS = 40;
  private static final int STEPS_PER_WINDOW = 50;
  private static final int QUIET_WINDOWS = 3;
  private static final int TOKENS_PER_SEQUENCE = 24;

  /**
   * Less than the smallest thing that a step could forget. The quietest windows count: the Java
   * compilers' own memory comes and goes by megabytes, but not in all of them.
   */
  private static final long ALLOWED_BYTES_PER_STEP = 100;

  private static final float[] VECTOR = {1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2};

  @TempDir private Path folder;

  @Test
  void shouldStayFlatWhenSequencesComeAndGo() throws IOException {
    new CheckpointFolder(folder).write();
    try (Engine engine = EngineLoader.load(folder, EngineOptions.defaults().withKvTokens(256));
        LensHead lens = LensHead.load(folder, LensHeadOptions.defaults())) {
      run(engine, lens, WINDOWS * STEPS_PER_WINDOW / 4);
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

  private static void run(Engine engine, LensHead lens, int steps) {
    for (int done = 0; done < steps; ) {
      try (PreparedVector vector = engine.prepare(VECTOR);
          Sequence captured =
              engine.open(
                  new SequenceOptions(
                      4, TOKENS_PER_SEQUENCE, Trace.everything(engine), List.of(site(vector))));
          Sequence plain =
              engine.open(
                  new SequenceOptions(2, TOKENS_PER_SEQUENCE, CapturePlan.NONE, List.of()))) {
        while (captured.length() < TOKENS_PER_SEQUENCE && done < steps) {
          StepOutput output =
              engine
                  .step(
                      List.of(
                          new StepInput(captured, new int[] {1, 2}, Logits.LAST),
                          new StepInput(plain, new int[] {3}, Logits.NONE)))
                  .get(0);
          ByteBuffer rows = output.finalRows().payload();
          lens.decode(rows, DType.FLOAT32, 2, 3);
          done++;
        }
      }
    }
  }

  private static SteeringSite site(PreparedVector vector) {
    return new SteeringSite(
        vector, 1, HookPoint.RESIDUAL_MID, SteeringOperation.ADD, 0.5f, PositionSpec.ALL, true);
  }
}
