package io.lensflow.bench.steering;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.timing.Comparison;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.Decoding;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.spec.PositionSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * What steering many requests at once costs: tokens/s of a batch in which each request is steered
 * by another vector at every layer, with hundreds of others loaded that nobody uses, ÷ tokens/s of
 * the same batch unsteered.
 */
public final class SteerManyShare implements Benchmark {
  private static final int BATCH = 16;
  private static final int PROMPT_TOKENS = 16;
  private static final int NEW_TOKENS = 64;
  private static final int TURN_TOKENS = 8;
  private static final int WARM_UP_ROUNDS = 3;

  /** Vectors that are loaded at all layers; the batch uses the first of them. */
  private static final int LOADED = 256;

  private static final float MULTIPLIER = 0.01f;

  private static final Definition DEFINITION =
      new Definition(
          "steer-many-share",
          "tokens/s with another vector at all layers for each of 16 requests ÷ unsteered",
          Bound.atLeast(0.95, Double.NaN));

  @Override
  public List<Definition> definitions() {
    return List.of(DEFINITION);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    // Both ways are open at a time.
    EngineOptions options =
        EngineOptions.defaults()
            .withKvTokens(Decoding.kvTokens(2 * BATCH, PROMPT_TOKENS + NEW_TOKENS));
    try (Engine engine = EngineLoader.load(setting.model(), options);
        Vectors vectors = new Vectors(engine);
        Generating steered = new Generating(engine, vectors.perSequence());
        Generating plain = new Generating(engine, List.of())) {
      int turns = NEW_TOKENS / TURN_TOKENS;
      Timed with = Timed.whole(steered::turn);
      Timed without = Timed.whole(plain::turn);
      new Comparison(WARM_UP_ROUNDS).alternate(turns, with, without);
      Timings timings = setting.comparison().alternate(turns, with, without);
      Figure figure =
          Figure.ofSamples(
              DEFINITION.name(), "ratio", timings.samples(seconds -> seconds[1] / seconds[0]));
      return List.of(
          new Finding(figure, DEFINITION.bound(), says(timings, engine.config().layers())));
    }
  }

  private static String says(Timings timings, int layers) {
    double tokens = (double) BATCH * NEW_TOKENS;
    double stepMillis = (timings.median(0) - timings.median(1)) / NEW_TOKENS * 1e3;
    return String.format(
        Locale.ROOT,
        "%.0f tokens/s steered at %d layers, %.0f unsteered; %d vectors loaded, %d used; per step %+.2f ms, %.1f µs per"
            + " request and layer.",
        tokens / timings.median(0),
        layers,
        tokens / timings.median(1),
        LOADED,
        BATCH,
        stepMillis,
        stepMillis * 1e3 / BATCH / layers);
  }

  /** Random vectors at every layer. */
  private static final class Vectors implements AutoCloseable {
    private final List<List<PreparedVector>> prepared = new ArrayList<>();

    Vectors(Engine engine) {
      Random random = new Random(1);
      int hiddenSize = engine.config().hiddenSize();
      for (int v = 0; v < LOADED; v++) {
        List<PreparedVector> layers = new ArrayList<>();
        prepared.add(layers);
        for (int layer = 0; layer < engine.config().layers(); layer++) {
          float[] values = new float[hiddenSize];
          for (int i = 0; i < hiddenSize; i++) {
            values[i] = (float) random.nextGaussian();
          }
          layers.add(engine.prepare(values));
        }
      }
    }

    List<List<SteeringSite>> perSequence() {
      List<List<SteeringSite>> all = new ArrayList<>();
      for (List<PreparedVector> layers : prepared.subList(0, BATCH)) {
        List<SteeringSite> sites = new ArrayList<>();
        for (PreparedVector vector : layers) {
          sites.add(
              new SteeringSite(
                  vector,
                  sites.size(),
                  HookPoint.RESIDUAL_POST,
                  SteeringOperation.ADD,
                  MULTIPLIER,
                  PositionSpec.ALL,
                  false));
        }
        all.add(sites);
      }
      return all;
    }

    @Override
    public void close() {
      prepared.forEach(layers -> layers.forEach(PreparedVector::close));
    }
  }

  /** One way of generating, a few tokens at a turn, from the prompt again when it is through. */
  private static final class Generating implements AutoCloseable {
    private final Engine engine;
    private final List<int[]> prompts;
    private final List<List<SteeringSite>> steering;
    private Decoding decoding;
    private int left;

    Generating(Engine engine, List<List<SteeringSite>> steering) {
      this.engine = engine;
      this.prompts = Decoding.prompts(engine, BATCH, PROMPT_TOKENS);
      this.steering = steering;
    }

    void turn() {
      if (left == 0) {
        close();
        decoding =
            new Decoding(
                engine, prompts, NEW_TOKENS, CapturePlan.NONE, steering, Decoding.Observer.NONE);
        decoding.prefill();
        left = NEW_TOKENS;
      }
      decoding.steps(TURN_TOKENS);
      left -= TURN_TOKENS;
    }

    @Override
    public void close() {
      if (decoding != null) {
        decoding.close();
      }
    }
  }
}
