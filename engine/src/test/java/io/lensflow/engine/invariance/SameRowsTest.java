package io.lensflow.engine.invariance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.GoldenCheckpoints;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.invariance.Transcript.Place;
import io.lensflow.engine.lens.HeadSummary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A request's rows depend on the request alone: not on who shares its steps, when they come and go,
 * how prompts are cut, whether its first keys are another's, where in the pool they lie, how much
 * staging there is, or how many ranks compute. Each case is drawn from a seed, which a failure
 * names; {@code -Dlensflow.cases=1000} runs more of them, {@code -Dlensflow.seed=S} others.
 *
 * <p>Seeds and no property library: a case needs loaded engines, which no library would shrink, and
 * the requests of a failing case can be struck out by hand.
 */
class SameRowsTest {
  private static final int CASES = Integer.getInteger("lensflow.cases", 40);
  private static final long FIRST_SEED = Long.getLong("lensflow.seed", 1);
  private static final double ROW_TOLERANCE = 3e-5;
  private static final float LOGIT_TOLERANCE = 5e-4f;
  private static final int MANY = 22;

  private static final Map<String, Engine> ALONE = new HashMap<>();
  private static int forks;

  private static Stream<Long> seeds() {
    return LongStream.range(FIRST_SEED, FIRST_SEED + CASES).boxed();
  }

  private static Stream<Long> deterministicSeeds() {
    return seeds().limit((CASES + 1) / 2);
  }

  @AfterAll
  static void close() {
    ALONE.values().forEach(Engine::close);
    ALONE.clear();
    assertThat(forks).as("sequences that began with another's tokens").isPositive();
  }

  /** An engine of one rank with room for everything. */
  private static Engine alone(String checkpoint) throws IOException {
    Engine engine = ALONE.get(checkpoint);
    if (engine == null) {
      engine =
          EngineLoader.load(
              GoldenCheckpoints.folder(checkpoint),
              EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(64));
      ALONE.put(checkpoint, engine);
    }
    return engine;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void shouldGiveTheSameRowsWhenAnythingButTheRequestDiffers(long seed) throws IOException {
    RandomCase drawn = RandomCase.of(seed, false);
    Engine alone = alone(drawn.checkpoint());
    try (Engine engine = drawn.load()) {
      List<Transcript> together = Batch.run(engine, drawn.requests(), new Random(seed));
      for (int i = 0; i < together.size(); i++) {
        Request request = drawn.requests().get(i);
        Transcript expected = Batch.inOneChunk(alone, request, together.get(i).tokens());
        compare(together.get(i), expected, request, drawn.describe(i));
        forks += together.get(i).begin() > 0 ? 1 : 0;
      }
    }
  }

  private static void compare(
      Transcript actual, Transcript expected, Request request, String what) {
    assertThat(actual.rows().keySet()).as(what).isEqualTo(wanted(request));
    actual
        .rows()
        .forEach(
            (place, row) -> assertClose(row, expected.rows().get(place), place + " of " + what));
    assertThat(actual.finalRows().keySet()).as(what).isEqualTo(wantedFinals(request));
    actual
        .finalRows()
        .forEach(
            (position, row) ->
                assertClose(
                    row, expected.finalRows().get(position), "final row " + position + what));
    actual
        .logits()
        .forEach(
            (position, logits) ->
                assertThat(logits)
                    .as("logits at %d of %s", position, what)
                    .usingComparatorWithPrecision(LOGIT_TOLERANCE)
                    .containsExactly(expected.logits().get(position)));
    for (int i = 0; i < actual.tokens().size(); i++) {
      // Rounding may choose between tokens that are equally likely; it chooses no other.
      float[] logits = expected.logits().get(request.prompt().length - 1 + i);
      HeadSummary best = HeadSummary.of(logits);
      assertThat(logits[actual.tokens().get(i)])
          .as("token %d of %s", i, what)
          .isCloseTo(best.topLogit(), within(LOGIT_TOLERANCE));
      assertThat(actual.summaries().get(i).logSumExp())
          .as("token %d of %s", i, what)
          .isCloseTo(best.logSumExp(), within(LOGIT_TOLERANCE));
    }
  }

  private static void assertClose(ByteBuffer actual, ByteBuffer expected, String what) {
    assertThat(Transcript.distance(actual, expected, DType.FLOAT32))
        .as(what)
        .isLessThan(ROW_TOLERANCE);
  }

  /** Every row that the plan asks for of those that ran. */
  private static Set<Place> wanted(Request request) {
    Set<Place> places = new HashSet<>();
    for (int position : wantedPositions(request)) {
      for (HookPoint point : request.capture().hookPoints()) {
        for (int layer : request.capture().layers()) {
          places.add(new Place(point, layer, position));
        }
      }
    }
    return places;
  }

  private static Set<Integer> wantedFinals(Request request) {
    return request.capture().finalRow() ? wantedPositions(request) : Set.of();
  }

  private static Set<Integer> wantedPositions(Request request) {
    Set<Integer> positions = new HashSet<>();
    for (int position = 0; position < request.rowsRun(); position++) {
      if (request.capture().positions().selects(position, request.prompt().length)) {
        positions.add(position);
      }
    }
    return positions;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("deterministicSeeds")
  void shouldGiveTheSameBitsWhenDeterministic(long seed) throws IOException {
    RandomCase drawn = RandomCase.of(seed, true);
    try (Engine engine = drawn.load()) {
      List<Transcript> together = Batch.run(engine, drawn.requests(), new Random(seed));
      for (int i = 0; i < together.size(); i++) {
        assertSameBits(engine, drawn.requests().get(i), together.get(i), drawn.describe(i));
      }
    }
  }

  /** One request chooses tokens, in groups that many others fill, which only read their prompts. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void shouldGiveTheSameBitsWhenGroupsOfSingleTokensAreFull(DType dtype) throws IOException {
    Random random = new Random(3);
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      int[] prompt = random.ints(i == 0 ? 1 : 20, 0, 100).toArray();
      int[] chunks = new int[prompt.length];
      Arrays.fill(chunks, 1);
      int newTokens = i == 0 ? 12 : 0;
      requests.add(
          new Request(
              prompt,
              chunks,
              newTokens,
              0,
              prompt.length + Math.max(0, newTokens - 1),
              Logits.LAST,
              CapturePlan.NONE,
              List.of()));
    }
    EngineOptions options =
        EngineOptions.defaults().withDType(dtype).withDeterministic(true).withKvTokens(MANY * 32);
    try (Engine engine = EngineLoader.load(GoldenCheckpoints.folder("llama-tp"), options)) {
      List<Transcript> together = Batch.run(engine, requests, random);
      assertSameBits(engine, requests.get(0), together.get(0), "the one that chooses");
    }
  }

  private static void assertSameBits(
      Engine engine, Request request, Transcript actual, String what) {
    Transcript alone = Batch.run(engine, List.of(request.alone()), new Random(0)).get(0);
    assertThat(actual.rows().keySet()).as(what).isEqualTo(wanted(request));
    assertThat(actual.rows()).as(what).isEqualTo(alone.rows());
    assertThat(actual.finalRows()).as(what).isEqualTo(alone.finalRows());
    assertThat(actual.tokens()).as(what).isEqualTo(alone.tokens());
    assertThat(actual.summaries()).as(what).isEqualTo(alone.summaries());
    assertThat(actual.logits().keySet()).as(what).isEqualTo(alone.logits().keySet());
    actual
        .logits()
        .forEach(
            (position, logits) ->
                assertThat(Arrays.equals(logits, alone.logits().get(position)))
                    .as("logits at %d of %s", position, what)
                    .isTrue());
  }
}
