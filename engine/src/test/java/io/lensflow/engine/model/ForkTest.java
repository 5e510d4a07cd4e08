package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.GoldenCheckpoints;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.Trace;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.steering.PreparedVector;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sequences that begin with another's keys and values have the rows of sequences of their own. */
class ForkTest {
  private static final double ROW_TOLERANCE = 3e-5;
  private static final int LENGTH = 24;
  private static final int[] IDS = new Random(7).ints(LENGTH, 0, 50).toArray();

  private static Engine load(String checkpoint, int ranks) throws IOException {
    return EngineLoader.load(
        GoldenCheckpoints.folder(checkpoint),
        EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(160).withRanks(ranks));
  }

  /** The same first tokens, then others. */
  private static int[] from(int position) {
    int[] ids = new Random(100 + position).ints(LENGTH, 0, 50).toArray();
    System.arraycopy(IDS, 0, ids, 0, position);
    return ids;
  }

  private static SequenceOptions options(
      Engine engine, String positions, List<SteeringSite> steering) {
    List<Integer> layers = IntStream.range(0, engine.config().layers()).boxed().toList();
    return new SequenceOptions(
        LENGTH - 2,
        LENGTH,
        new CapturePlan(List.of(HookPoint.values()), layers, PositionSpec.parse(positions), true),
        steering);
  }

  private static SequenceOptions options(Engine engine, int firstCaptured) {
    return options(engine, firstCaptured + "-", List.of());
  }

  private static StepInput input(Sequence sequence, int[] ids, int from, int to) {
    return new StepInput(sequence, Arrays.copyOfRange(ids, from, to), Logits.ALL);
  }

  private static void assertSame(Engine engine, Trace trace, int begin, Trace alone) {
    for (HookPoint point : HookPoint.values()) {
      for (int layer = 0; layer < engine.config().layers(); layer++) {
        for (int at = begin; at < LENGTH; at++) {
          assertThat(Trace.distance(trace.row(point, layer, at), alone.row(point, layer, at), 0))
              .as("%s of layer %d at %d", point, layer, at)
              .isLessThan(ROW_TOLERANCE);
        }
      }
    }
  }

  /** One after the other, as each has what the next takes over; then they go on together. */
  @ParameterizedTest
  @CsvSource({"llama-tp, 1", "llama-tp, 2", "mistral-window, 1", "qwen3-window, 1"})
  void shouldHaveTheRowsOfSequencesOfTheirOwnWhenAllBeginInOneStep(String checkpoint, int ranks)
      throws IOException {
    int p = LENGTH - 2;
    // The third takes over what the second takes over, and a part that the second reads itself;
    // the fourth all of its prompt but one token.
    List<Integer> begins = List.of(0, 9, 15, p - 1);
    List<int[]> ids = List.of(IDS, from(20), from(20), from(p - 1));
    try (Engine engine = load(checkpoint, ranks)) {
      List<Trace> traces = begins.stream().map(begin -> new Trace(engine, LENGTH)).toList();
      Sequence first = engine.open(options(engine, 0));
      Sequence second = engine.fork(first, 9, options(engine, 9));
      Sequence third = engine.fork(second, 15, options(engine, 15));
      Sequence fourth = engine.fork(first, p - 1, options(engine, p - 1));
      List<Sequence> sequences = List.of(first, second, third, fourth);
      assertThat(sequences).extracting(Sequence::length).containsExactlyElementsOf(begins);
      List<StepInput> prompts =
          IntStream.range(0, 4)
              .mapToObj(i -> input(sequences.get(i), ids.get(i), begins.get(i), p))
              .toList();
      List<StepOutput> outputs = engine.step(prompts);
      for (int i = 0; i < 4; i++) {
        traces.get(i).add(outputs.get(i), begins.get(i));
      }
      first.close();
      for (int at = p; at < LENGTH; at++) {
        for (int i = 1; i < 4; i++) {
          StepInput next = input(sequences.get(i), ids.get(i), at, at + 1);
          traces.get(i).add(engine.step(List.of(next)).get(0), at);
        }
      }
      for (int i = 1; i < 4; i++) {
        sequences.get(i).close();
        Trace alone = Trace.of(engine, ids.get(i), p, p, List.of());
        assertSame(engine, traces.get(i), begins.get(i), alone);
      }
    }
  }

  @Test
  void shouldShareWhatIsSteeredAlikeAndRefuseWhatIsNot() throws IOException {
    float[] values = new float[64];
    Arrays.fill(values, 0.3f);
    try (Engine engine = load("llama-tp", 1);
        PreparedVector vector =
            engine.prepare(Arrays.copyOf(values, engine.config().hiddenSize()))) {
      List<SteeringSite> all = List.of(site(vector, "all"));
      Sequence source = engine.open(options(engine, "all", all));
      engine.step(List.of(input(source, IDS, 0, 12)));

      Sequence same = engine.fork(source, 12, options(engine, "12-", all));
      Trace trace = new Trace(engine, LENGTH);
      trace.add(engine.step(List.of(input(same, IDS, 12, LENGTH))).get(0), 12);
      assertSame(engine, trace, 12, Trace.of(engine, IDS, LENGTH - 2, LENGTH, all));

      for (List<SteeringSite> other :
          List.of(
              List.<SteeringSite>of(),
              List.of(site(vector, "generated")),
              List.of(site(vector, "0-5")))) {
        assertThatThrownBy(() -> engine.fork(source, 12, options(engine, "12-", other)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("steering");
      }
      Sequence plain = engine.open(options(engine, 0));
      engine.fork(plain, 12, options(engine, "12-", List.of(site(vector, "generated")))).close();
    }
  }

  private static SteeringSite site(PreparedVector vector, String positions) {
    return new SteeringSite(
        vector,
        1,
        HookPoint.RESIDUAL_POST,
        SteeringOperation.ADD,
        1,
        PositionSpec.parse(positions),
        false);
  }

  @Test
  void shouldRefuseAPrefixThatIsNotThere() throws IOException {
    try (Engine engine = load("llama-tp", 1);
        Engine another = load("llama-tp", 1)) {
      int free = engine.freeKvTokens();
      Sequence source = engine.open(options(engine, 0));
      assertThatThrownBy(() -> engine.fork(source, 9, options(engine, 8)))
          .hasMessageContaining("capture: positions '8-' select some of the first 9");
      assertThatThrownBy(() -> engine.fork(source, LENGTH - 2, options(engine, LENGTH - 2)))
          .hasMessageContaining("a prefix of 22 tokens");
      assertThatThrownBy(() -> another.fork(source, 9, options(engine, 9)))
          .hasMessageContaining("another engine");

      Sequence early = engine.fork(source, 9, options(engine, 9));
      StepInput begins = input(early, IDS, 9, 12);
      assertThatThrownBy(() -> engine.step(List.of(begins)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("has not consumed the 9 tokens");
      StepInput eight = input(source, IDS, 0, 8);
      StepInput nine = input(source, IDS, 0, 9);
      assertThatThrownBy(() -> engine.step(List.of(eight, begins)))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> engine.step(List.of(begins, nine)))
          .isInstanceOf(IllegalStateException.class);
      Sequence chained = engine.fork(early, 9, options(engine, 9));
      engine.step(List.of(nine));
      assertThatThrownBy(() -> engine.step(List.of(input(chained, IDS, 9, 12))))
          .isInstanceOf(IllegalStateException.class);
      source.close();
      assertThatThrownBy(() -> engine.step(List.of(begins)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("is closed");
      early.close();
      chained.close();
      assertThat(engine.freeKvTokens()).isEqualTo(free);
    }
  }

  @Test
  void shouldRefuseToForkWhenRowsMustNotDependOnOthers() throws IOException {
    try (Engine engine =
        EngineLoader.load(
            GoldenCheckpoints.folder("llama-tp"),
            EngineOptions.defaults().withKvTokens(160).withDeterministic(true))) {
      Sequence source = engine.open(options(engine, 0));
      assertThatThrownBy(() -> engine.fork(source, 9, options(engine, 9)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("deterministic");
    }
  }
}
