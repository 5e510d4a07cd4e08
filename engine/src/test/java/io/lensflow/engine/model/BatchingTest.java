package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.KvCapacityException;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.Trace;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.testkit.SharedData;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whatever shares a step with a sequence, and however its prompt is cut, its rows are the same. */
class BatchingTest {
  private static final double ROW_TOLERANCE = 3e-5;
  private static final int POOL = 512;

  private static Engine engine;

  @BeforeAll
  static void load() throws IOException {
    engine =
        EngineLoader.load(
            SharedData.folder("fixtures/tiny-llama31"),
            EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(POOL));
  }

  @AfterAll
  static void close() {
    if (engine != null) {
      engine.close();
    }
  }

  @Test
  void shouldGiveTheSameRowsWhenThePromptIsCutIntoChunks() {
    int[] ids = ids(new Random(1), 61);
    Trace whole = Trace.of(engine, ids, 50, 50, List.of());
    for (int chunk : new int[] {1, 7, 16, 49}) {
      assertThat(Trace.of(engine, ids, 50, chunk, List.of()).distance(whole))
          .as("chunks of %d", chunk)
          .isLessThan(ROW_TOLERANCE);
    }
  }

  @Test
  void shouldGiveTheSameRowsWhenSequencesShareSteps() {
    Random random = new Random(2);
    try (PreparedVector vector = engine.prepare(vector(random))) {
      List<int[]> prompts = new ArrayList<>();
      List<List<SteeringSite>> steering = new ArrayList<>();
      List<Trace> alone = new ArrayList<>();
      List<Trace> together = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        int[] ids = ids(random, 5 + random.nextInt(40));
        prompts.add(ids);
        steering.add(
            i % 2 == 0
                ? List.of()
                : List.of(site(vector, HookPoint.values()[i], 0.1f * i, "1-", i == 3)));
        alone.add(Trace.of(engine, ids, ids.length, ids.length, steering.get(i)));
        together.add(new Trace(engine, ids.length));
      }
      runTogether(prompts, steering, together, random);
      for (int i = 0; i < prompts.size(); i++) {
        assertThat(together.get(i).distance(alone.get(i)))
            .as("sequence %d of %d tokens", i, prompts.get(i).length)
            .isLessThan(ROW_TOLERANCE);
      }
    }
  }

  /** Sequences join at different steps, with chunks of random length, until all have run. */
  private static void runTogether(
      List<int[]> prompts, List<List<SteeringSite>> steering, List<Trace> traces, Random random) {
    List<Sequence> sequences = new ArrayList<>();
    int step = 0;
    while (sequences.size() < prompts.size()
        || sequences.stream().anyMatch(s -> s.length() < s.promptLength())) {
      if (sequences.size() < prompts.size() && step % 2 == 0) {
        int i = sequences.size();
        int length = prompts.get(i).length;
        sequences.add(
            engine.open(
                new SequenceOptions(length, length, Trace.everything(engine), steering.get(i))));
      }
      List<StepInput> inputs = new ArrayList<>();
      List<Integer> which = new ArrayList<>();
      for (int i = 0; i < sequences.size(); i++) {
        int at = sequences.get(i).length();
        int left = prompts.get(i).length - at;
        if (left > 0) {
          int[] chunk =
              Arrays.copyOfRange(prompts.get(i), at, at + 1 + random.nextInt(Math.min(left, 9)));
          inputs.add(new StepInput(sequences.get(i), chunk, Logits.ALL));
          which.add(i);
        }
      }
      if (!inputs.isEmpty()) {
        int[] firsts = inputs.stream().mapToInt(input -> input.sequence().length()).toArray();
        List<StepOutput> outputs = engine.step(inputs);
        for (int i = 0; i < outputs.size(); i++) {
          traces.get(which.get(i)).add(outputs.get(i), firsts[i]);
        }
      }
      step++;
    }
    sequences.forEach(Sequence::close);
  }

  @Test
  void shouldBeBitIdenticalToNoneWhenTheMultiplierIsZero() {
    int[] ids = ids(new Random(3), 20);
    try (PreparedVector vector = engine.prepare(vector(new Random(4)))) {
      Trace plain = Trace.of(engine, ids, 12, 12, List.of());
      Trace zero =
          Trace.of(engine, ids, 12, 12, List.of(site(vector, HookPoint.MLP_INPUT, 0, "all", true)));
      assertThat(zero.distance(plain)).isZero();
      Trace steered =
          Trace.of(engine, ids, 12, 12, List.of(site(vector, HookPoint.MLP_INPUT, 1, "all", true)));
      assertThat(steered.distance(plain)).isGreaterThan(ROW_TOLERANCE);
    }
  }

  @Test
  void shouldGiveOnlyPlannedRowsWhenAPlanIsNarrow() {
    int[] ids = ids(new Random(5), 10);
    Trace all = Trace.of(engine, ids, 10, 10, List.of());
    CapturePlan plan =
        new CapturePlan(
            List.of(HookPoint.MLP_OUTPUT), List.of(1, 3), PositionSpec.parse("0,4-6,-1"), true);
    try (Sequence sequence = engine.open(new SequenceOptions(10, 10, plan, List.of()))) {
      StepOutput output = engine.step(List.of(new StepInput(sequence, ids, Logits.NONE))).get(0);
      assertThat(output.logits()).isEmpty();
      CapturedRows rows = output.rows().get(0);
      assertThat(rows.layers()).containsExactly(1, 3);
      assertThat(rows.positions()).containsExactly(0, 4, 5, 6, 9);
      Trace narrow = new Trace(engine, 10);
      narrow.add(output, 0);
      for (int layer : rows.layers()) {
        for (int position : rows.positions()) {
          assertThat(narrow.row(HookPoint.MLP_OUTPUT, layer, position))
              .isEqualTo(all.row(HookPoint.MLP_OUTPUT, layer, position));
        }
      }
      CapturedRows finals = output.finalRows();
      assertThat(finals.hookPoint()).isEqualTo(HookPoint.RESIDUAL_POST);
      assertThat(finals.layers()).containsExactly(3);
      assertThat(finals.payload().remaining())
          .isEqualTo(finals.positions().length * engine.config().hiddenSize() * Float.BYTES);
    }
  }

  @Test
  void shouldRefuseOneSequenceAndServeOthersWhenThePoolIsFull() {
    List<Sequence> open = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      open.add(open(POOL / 4));
    }
    assertThatThrownBy(() -> open(1))
        .isInstanceOf(KvCapacityException.class)
        .hasMessageContaining("0 of 512 tokens are free");
    open.get(2).close();
    open.get(1).close();
    open.get(1).close();
    open(POOL / 2).close();
    open.forEach(Sequence::close);
    open(256).close();
  }

  private static Sequence open(int length) {
    return engine.open(new SequenceOptions(1, length, CapturePlan.NONE, List.of()));
  }

  private static SteeringSite site(
      PreparedVector vector, HookPoint point, float multiplier, String positions, boolean keep) {
    return new SteeringSite(
        vector, 2, point, SteeringOperation.ADD, multiplier, PositionSpec.parse(positions), keep);
  }

  private static float[] vector(Random random) {
    float[] values = new float[engine.config().hiddenSize()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static int[] ids(Random random, int count) {
    return random.ints(count, 0, engine.config().vocabularySize()).toArray();
  }
}
