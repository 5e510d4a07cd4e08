package io.lensflow.worker;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.RankInfo;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.model.RankBreaker;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.text.Tokenizer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A real engine of several ranks, of which one fails in the middle of a step on command. */
final class BreakableEngine implements Engine {
  /** What a test shares with all engines that are loaded one after another. Thread-safe. */
  static final class Breakage {
    final AtomicInteger stepsLeft = new AtomicInteger(-1);
    final AtomicInteger loads = new AtomicInteger();
  }

  private final Engine engine;
  private final Breakage breakage;

  BreakableEngine(Engine engine, Breakage breakage) {
    this.engine = engine;
    this.breakage = breakage;
    breakage.loads.incrementAndGet();
  }

  @Override
  public List<StepOutput> step(List<StepInput> inputs) {
    if (breakage.stepsLeft.getAndDecrement() == 0) {
      // Where the step is over before, the next one fails.
      new Thread(() -> RankBreaker.fail(engine, new IllegalStateException("rank 1 is lost")))
          .start();
    }
    return engine.step(inputs);
  }

  @Override
  public ModelConfig config() {
    return engine.config();
  }

  @Override
  public Tokenizer tokenizer() {
    return engine.tokenizer();
  }

  @Override
  public String revision() {
    return engine.revision();
  }

  @Override
  public DType dtype() {
    return engine.dtype();
  }

  @Override
  public int maxContext() {
    return engine.maxContext();
  }

  @Override
  public String device() {
    return engine.device();
  }

  @Override
  public List<RankInfo> ranks() {
    return engine.ranks();
  }

  @Override
  public int freeKvTokens() {
    return engine.freeKvTokens();
  }

  @Override
  public PreparedVector prepare(float[] values) {
    return engine.prepare(values);
  }

  @Override
  public Sequence open(SequenceOptions options) {
    return engine.open(options);
  }

  @Override
  public Sequence fork(Sequence source, int length, SequenceOptions options) {
    return engine.fork(source, length, options);
  }

  @Override
  public void close() {
    engine.close();
  }
}
