package io.lensflow.worker.ranks;

import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.lens.HeadSummary;
import java.util.List;

/**
 * What a step gave. Plain arrays and buffers that belong to the receiver.
 *
 * @param id the plan's id
 * @param outputs one per feed whose sequence is open, in the order of the plan
 * @param refusals sequences that could not be opened
 */
public record StepResult(long id, List<Output> outputs, List<Refusal> refusals) {
  public StepResult {
    outputs = List.copyOf(outputs);
    refusals = List.copyOf(refusals);
  }

  /**
   * Output of one sequence.
   *
   * @param sequence its number
   * @param logits [V] for the last row where they were asked for, else empty
   * @param summary of the last row's logits where any were asked for, else null
   * @param rows captured rows, one entry per hook point; may be empty
   * @param finalRows {@code RESIDUAL_POST} of layer L−1 where asked for, else null
   */
  public record Output(
      long sequence,
      float[] logits,
      HeadSummary summary,
      List<CapturedRows> rows,
      CapturedRows finalRows) {}

  /**
   * A sequence that the engine did not open.
   *
   * @param sequence its number
   * @param transientShortage whether there is only no room now
   * @param reason what the engine said
   */
  public record Refusal(long sequence, boolean transientShortage, String reason) {}
}
