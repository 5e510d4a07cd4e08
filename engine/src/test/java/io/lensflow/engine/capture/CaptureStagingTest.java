package io.lensflow.engine.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.text.spec.PositionSpec;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CaptureStagingTest {
  private static final int LAYERS = 80;
  private static final int HIDDEN_SIZE = 8192;

  @Test
  void shouldStayWithinWhatAnIntCountsWhenMoreIsAllowed() {
    List<Integer> layers = IntStream.range(0, LAYERS).boxed().toList();
    CapturePlan all = new CapturePlan(List.of(HookPoint.values()), layers, PositionSpec.ALL, false);
    SequenceCapture sequence = new SequenceCapture(all, 1, LAYERS);
    try (CaptureStaging staging =
        new CaptureStaging(
            List.of(), LAYERS, new int[] {HIDDEN_SIZE}, DType.FLOAT32, Long.MAX_VALUE)) {
      long rowBytes = 7L * LAYERS * HIDDEN_SIZE * Float.BYTES;
      int most = staging.rowsFor(sequence.places());
      assertThat(most).isEqualTo((int) (Integer.MAX_VALUE / rowBytes));
      staging.check(sequence, most);
      assertThatThrownBy(() -> staging.check(sequence, most + 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("stagingBytes is 2147483647");
    }
  }
}
