package io.lensflow.worker.publishing;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.worker.Runs;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.GenerationRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A capture of 4 layers of 8 float32 values: 128 bytes a position; 5 positions, 640 bytes. */
class CaptureFitTest {
  private static final long PLENTY = 1 << 20;
  private static final int POSITION = 128;

  private final EngineInfo engine = Runs.engine(4, 8);
  private final GenerationRequest request = Runs.run(engine, Traffic.request("abc", 3)).request();

  @Test
  void shouldTakeWhatJustFits() {
    assertThatCode(() -> check(POSITION, 2 * POSITION, 2, PLENTY, 5 * POSITION))
        .doesNotThrowAnyException();
  }

  @Test
  void shouldNameTheSettingWhenAPositionIsTooLargeForTheStaging() {
    assertThatThrownBy(() -> check(POSITION - 1, PLENTY, 1, PLENTY, PLENTY))
        .hasMessageContaining("takes 128 bytes")
        .hasMessageContaining("room for 127")
        .hasMessageContaining("lensflow.worker.engine.staging-bytes");
  }

  @Test
  void shouldNameTheSettingWhenAWholeChunkIsTooLargeForTheBuffer() {
    assertThatThrownBy(() -> check(PLENTY, 3 * POSITION - 1, 16, PLENTY, PLENTY))
        .hasMessageContaining("3 positions")
        .hasMessageContaining("take 384 bytes")
        .hasMessageContaining("lensflow.worker.publisher.buffer-bytes");
  }

  @Test
  void shouldNameTheSettingWhenARowIsTooLargeForARecord() {
    assertThatThrownBy(() -> check(PLENTY, PLENTY, 1, 1100, PLENTY))
        .hasMessageContaining("records hold 1100")
        .hasMessageContaining("lensflow.worker.publisher.max-record-bytes");
  }

  @Test
  void shouldNameTheTopicWhenAllRowsAreMoreThanItKeeps() {
    assertThatThrownBy(() -> check(PLENTY, PLENTY, 1, PLENTY, 5 * POSITION - 1))
        .hasMessageContaining("up to 640 bytes")
        .hasMessageContaining("retention.bytes");
  }

  @Test
  void shouldTakeAnythingThatCapturesNothing() {
    GenerationRequest bare =
        Runs.run(engine, Traffic.request("abc", 3, r -> r.getCapture().setHookPoints(List.of())))
            .request();

    assertThatCode(() -> new CaptureFit(engine, new CaptureFit.Limits(1, 1, 1, 1, 1)).check(bare))
        .doesNotThrowAnyException();
  }

  private void check(long staging, long buffer, int atOnce, long record, long partition)
      throws Exception {
    new CaptureFit(engine, new CaptureFit.Limits(staging, buffer, atOnce, record, partition))
        .check(request);
  }
}
