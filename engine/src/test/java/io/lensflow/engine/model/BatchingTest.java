package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.GoldenCheckpoints;
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
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Each sequence of a step has its own steering, its own capture and its own place in the pool. That
 * rows do not depend on neighbours at all, {@code SameRowsTest} shows.
 */
class BatchingTest {
  private static final double ROW_TOLERANCE = 3e-5;
  private static final int POOL = 64;

  private static Engine engine;

  @BeforeAll
  static void load() throws IOException {
    engine =
        EngineLoader.load(
            GoldenCheckpoints.folder("llama-tp"),
            EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(POOL));
  }

  @AfterAll
  static void close() {
    engine.close();
  }

  @Test
  void shouldSteerEachRequestByItsOwnVectorWhenSeveralShareAStep() {
    int[] ids = ids(new Random(1), 12);
    Random random = new Random(2);
    try (PreparedVector first = engine.prepare(vector(random));
        PreparedVector second = engine.prepare(vector(random))) {
      List<List<SteeringSite>> steering =
          List.of(
              List.of(site(first, SteeringOperation.ADD, 1, false)),
              List.of(),
              List.of(site(second, SteeringOperation.ADD, 1, false)),
              List.of(site(second, SteeringOperation.ADD, -1, false)));
      List<StepInput> inputs =
          steering.stream()
              .map(
                  sites ->
                      engine.open(
                          new SequenceOptions(
                              ids.length, ids.length, Trace.everything(engine), sites)))
              .map(sequence -> new StepInput(sequence, ids, Logits.ALL))
              .toList();
      List<Trace> together = new ArrayList<>();
      for (StepOutput output : engine.step(inputs)) {
        together.add(new Trace(engine, ids.length));
        together.get(together.size() - 1).add(output, 0);
        output.sequence().close();
      }
      for (int i = 0; i < steering.size(); i++) {
        Trace alone = Trace.of(engine, ids, ids.length, ids.length, steering.get(i));
        for (int j = 0; j < steering.size(); j++) {
          double distance = together.get(j).distance(alone);
          if (i == j) {
            assertThat(distance).as("request %d", i).isLessThan(ROW_TOLERANCE);
          } else {
            assertThat(distance).as("requests %d and %d", i, j).isGreaterThan(1000 * ROW_TOLERANCE);
          }
        }
      }
    }
  }

  @Test
  void shouldAddEachRequestsOwnVectorsInTheirOrderWhenTheyGenerateTogether() {
    int[] ids = ids(new Random(3), 12);
    int p = ids.length - 3;
    Random random = new Random(4);
    try (PreparedVector first = engine.prepare(vector(random));
        PreparedVector second = engine.prepare(vector(random))) {
      SteeringSite one = site(first, SteeringOperation.ADD, 1, false);
      SteeringSite other = site(second, SteeringOperation.ADD, -0.7f, false);
      SteeringSite ablation = site(second, SteeringOperation.ABLATE, 1, false);
      List<List<SteeringSite>> steering =
          List.of(
              List.of(other),
              List.of(ablation, one),
              List.of(one, ablation),
              List.of(one, other, one));
      List<Trace> together = new ArrayList<>();
      List<Sequence> sequences = new ArrayList<>();
      for (List<SteeringSite> sites : steering) {
        Sequence sequence =
            engine.open(new SequenceOptions(p, ids.length, Trace.everything(engine), sites));
        Trace trace = new Trace(engine, ids.length);
        StepInput prompt = new StepInput(sequence, Arrays.copyOf(ids, p), Logits.ALL);
        trace.add(engine.step(List.of(prompt)).get(0), 0);
        together.add(trace);
        sequences.add(sequence);
      }
      // All, all again, and then without one.
      List<List<Integer>> steps =
          List.of(List.of(0, 1, 2, 3), List.of(0, 1, 2, 3), List.of(1, 2, 3));
      for (int step = 0; step < steps.size(); step++) {
        int[] next = {ids[p + step]};
        List<StepInput> inputs =
            steps.get(step).stream()
                .map(i -> new StepInput(sequences.get(i), next, Logits.ALL))
                .toList();
        List<StepOutput> outputs = engine.step(inputs);
        for (int i = 0; i < inputs.size(); i++) {
          together.get(steps.get(step).get(i)).add(outputs.get(i), p + step);
        }
      }
      int[] last = {ids[ids.length - 1]};
      StepInput late = new StepInput(sequences.get(0), last, Logits.ALL);
      together.get(0).add(engine.step(List.of(late)).get(0), ids.length - 1);
      sequences.forEach(Sequence::close);
      for (int i = 0; i < steering.size(); i++) {
        Trace alone = Trace.of(engine, ids, p, ids.length, steering.get(i));
        assertThat(together.get(i).distance(alone)).as("request %d", i).isLessThan(ROW_TOLERANCE);
      }
      assertThat(together.get(1).distance(together.get(2))).isGreaterThan(1000 * ROW_TOLERANCE);
    }
  }

  @Test
  void shouldBeBitIdenticalToNoneWhenTheMultiplierIsZero() {
    int[] ids = ids(new Random(3), 20);
    try (PreparedVector vector = engine.prepare(vector(new Random(4)))) {
      Trace plain = Trace.of(engine, ids, 12, 12, List.of());
      for (SteeringOperation operation : SteeringOperation.values()) {
        Trace zero =
            Trace.of(
                engine,
                ids,
                12,
                12,
                List.of(site(vector, operation, 0, operation != SteeringOperation.PROJECT_TO)));
        Trace one = Trace.of(engine, ids, 12, 12, List.of(site(vector, operation, 1, false)));
        assertThat(one.distance(plain)).as("%s", operation).isGreaterThan(ROW_TOLERANCE);
        if (operation == SteeringOperation.PROJECT_TO) {
          // There it means the component 0, as removing all of it does.
          Trace removed =
              Trace.of(
                  engine, ids, 12, 12, List.of(site(vector, SteeringOperation.ABLATE, 1, false)));
          assertThat(zero.distance(removed)).isLessThan(ROW_TOLERANCE);
        } else {
          assertThat(zero.distance(plain)).as("%s", operation).isZero();
        }
      }
    }
  }

  @Test
  void shouldGiveOnlyPlannedRowsWhenAPlanIsNarrow() {
    int[] ids = ids(new Random(5), 10);
    Trace all = Trace.of(engine, ids, 10, 10, List.of());
    CapturePlan plan =
        new CapturePlan(
            List.of(HookPoint.MLP_OUTPUT), List.of(0), PositionSpec.parse("0,4-6,-1"), true);
    try (Sequence sequence = engine.open(new SequenceOptions(10, 10, plan, List.of()))) {
      StepOutput output = engine.step(List.of(new StepInput(sequence, ids, Logits.NONE))).get(0);
      assertThat(output.logits()).isEmpty();
      CapturedRows rows = output.rows().get(0);
      assertThat(rows.layers()).containsExactly(0);
      assertThat(rows.positions()).containsExactly(0, 4, 5, 6, 9);
      Trace narrow = new Trace(engine, 10);
      narrow.add(output, 0);
      for (int position : rows.positions()) {
        assertThat(narrow.row(HookPoint.MLP_OUTPUT, 0, position))
            .isEqualTo(all.row(HookPoint.MLP_OUTPUT, 0, position));
      }
      CapturedRows finals = output.finalRows();
      assertThat(finals.hookPoint()).isEqualTo(HookPoint.RESIDUAL_POST);
      assertThat(finals.layers()).containsExactly(1);
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
        .hasMessageContaining("0 of 64 tokens are free");
    open.get(2).close();
    open.get(0).close();
    open.get(0).close();
    open(POOL / 2).close();
    open.forEach(Sequence::close);
    open(POOL).close();
  }

  private static Sequence open(int length) {
    return engine.open(new SequenceOptions(1, length, CapturePlan.NONE, List.of()));
  }

  private static SteeringSite site(
      PreparedVector vector, SteeringOperation operation, float multiplier, boolean keep) {
    return new SteeringSite(
        vector, 0, HookPoint.MLP_INPUT, operation, multiplier, PositionSpec.ALL, keep);
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
