package io.lensflow.engine;

import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.lens.HeadSummary;
import java.util.List;

/**
 * What one step gave for one sequence, in the order of the inputs.
 *
 * @param sequence the sequence
 * @param logits float32 logits, row-major: [V] for {@code LAST}, [T, V] for {@code ALL}, empty for
 *     {@code NONE} and {@code SUMMARY}
 * @param summary of the last row's logits; null for {@code NONE}
 * @param rows captured rows of the T new positions, one entry per hook point, in the plan's order
 * @param finalRows {@code RESIDUAL_POST} of layer L−1 where the plan asks for it, else null
 */
public record StepOutput(
    Sequence sequence,
    float[] logits,
    HeadSummary summary,
    List<CapturedRows> rows,
    CapturedRows finalRows) {}
