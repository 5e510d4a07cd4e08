package io.lensflow.bench.workload;

import io.lensflow.bench.timing.Timed;
import io.lensflow.engine.Engine;
import io.lensflow.engine.capture.CapturePlan;

/** Timing an engine's decode steps. Stateless. */
public final class Steps {
  private Steps() {}

  /**
   * One decode step, averaged over {@code count} of them around a position. Reading the prompts in
   * does not count.
   *
   * @param batch B
   * @param position cached tokens of each sequence at the middle of the steps that count
   */
  public static Timed at(Engine engine, int batch, int position, int count) {
    int prompt = position - count / 2;
    return () -> {
      try (Decoding decoding =
          new Decoding(
              engine,
              Decoding.prompts(engine, batch, prompt),
              count,
              CapturePlan.NONE,
              Decoding.Observer.NONE)) {
        decoding.prefill();
        return Timed.whole(() -> decoding.steps(count)).seconds() / count;
      }
    };
  }
}
