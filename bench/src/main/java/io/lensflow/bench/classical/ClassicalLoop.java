package io.lensflow.bench.classical;

import io.lensflow.bench.workload.CaptureSink;
import io.lensflow.engine.Engine;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import java.util.Arrays;
import java.util.List;

/**
 * How a logit lens is run over a generation without a serving engine: at every step the whole
 * sequence again from its first token, no keys and values kept, then every layer of every position
 * through norm, head and softmax. Kernels are the engine's and the decoder's own, so that what is
 * compared is the way of working, not who multiplies faster.
 *
 * <p>Not thread-safe.
 */
public final class ClassicalLoop {
  private final Engine engine;
  private final LensHead head;
  private final int topK;
  private final CapturePlan everyLayer;

  /**
   * @param engine runs the blocks
   * @param head the lens
   * @param topK tokens reported per row
   */
  public ClassicalLoop(Engine engine, LensHead head, int topK) {
    this.engine = engine;
    this.head = head;
    this.topK = topK;
    this.everyLayer = CaptureSink.everyLayer(engine);
  }

  /**
   * One step: the hidden states of all layers, [L, S, D].
   *
   * @param ids the S tokens so far
   */
  public CapturedRows forward(int[] ids) {
    SequenceOptions options = new SequenceOptions(ids.length, ids.length, everyLayer, List.of());
    try (Sequence sequence = engine.open(options)) {
      // The lens of the last layer is the model's own head: it need not run twice.
      StepInput input = new StepInput(sequence, ids, StepInput.Logits.NONE);
      return engine.step(List.of(input)).get(0).rows().get(0);
    }
  }

  /** What the lens says about hidden states, [L·S] rows, layer by layer. */
  public LensRows lens(CapturedRows states) {
    int rows = states.layers().length * states.positions().length;
    return head.decode(
        LensBatch.of(states.payload(), states.dtype(), rows), LensMetrics.summary(topK));
  }

  /** Both for the S tokens so far; the next token is the first choice of the last row. */
  public int next(int[] ids) {
    int[] top = lens(forward(ids)).topIds();
    return top[top.length - topK];
  }

  /**
   * The whole loop.
   *
   * @return prompt and generated tokens
   */
  public int[] run(int[] prompt, int newTokens) {
    int[] ids = prompt;
    for (int i = 0; i < newTokens; i++) {
      int next = next(ids);
      ids = Arrays.copyOf(ids, ids.length + 1);
      ids[ids.length - 1] = next;
    }
    return ids;
  }
}
