package io.lensflow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.generation.Generation;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensGolden;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.testkit.SmolLm2;
import io.lensflow.text.spec.PositionSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A real model against transformers. */
class SmolLm2Test {
  private static final String FIXTURE = "smollm2-135m-instruct";
  private static final double ROW_TOLERANCE = 3e-5;
  private static final float CLEAR_GAP = 1e-2f;
  private static final int POOL = 1024;
  private static final int K = 5;

  private static Golden golden;
  private static Engine engine;
  private static LensHead lens;

  @BeforeAll
  static void load() throws IOException, InterruptedException {
    golden = Golden.of(FIXTURE);
    engine =
        EngineLoader.load(
            SmolLm2.folder(), EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(POOL));
    lens = LensHead.load(SmolLm2.folder(), LensHeadOptions.defaults());
  }

  @AfterAll
  static void close() throws IOException {
    if (golden != null) {
      golden.close();
    }
    if (engine != null) {
      engine.close();
      lens.close();
    }
  }

  private static CapturePlan residuals() {
    List<Integer> layers = IntStream.range(0, engine.config().layers()).boxed().toList();
    return new CapturePlan(List.of(HookPoint.RESIDUAL_POST), layers, PositionSpec.ALL, true);
  }

  /** Prompt and all generated tokens but the last. */
  private static int[] consumed(String name) throws IOException {
    int[] prompt = golden.integers(name + ".prompt_ids");
    int[] generated = golden.integers(name + ".greedy_ids");
    int[] ids = Arrays.copyOf(prompt, prompt.length + generated.length - 1);
    System.arraycopy(generated, 0, ids, prompt.length, generated.length - 1);
    return ids;
  }

  @Test
  void shouldChooseTheSameTokensWhenAllCasesRunInOneStep() throws IOException {
    List<String> names = new ArrayList<>();
    List<StepInput> inputs = new ArrayList<>();
    for (JsonNode item : golden.description().path("cases")) {
      String name = item.path("case").asText();
      int[] ids = consumed(name);
      int promptLength = golden.integers(name + ".prompt_ids").length;
      names.add(name);
      inputs.add(
          new StepInput(
              engine.open(new SequenceOptions(promptLength, ids.length, residuals(), List.of())),
              ids,
              Logits.ALL));
    }
    List<StepOutput> outputs = engine.step(inputs);
    for (int i = 0; i < names.size(); i++) {
      compareTokens(names.get(i), outputs.get(i));
      compareLastRow(names.get(i), outputs.get(i));
      inputs.get(i).sequence().close();
    }
  }

  private static void compareTokens(String name, StepOutput output) throws IOException {
    int[] expected = golden.integers(name + ".greedy_ids");
    float[] gaps = golden.floats(name + ".final_top2_gap");
    int v = engine.config().vocabularySize();
    int first = output.sequence().promptLength() - 1;
    for (int i = 0; i < expected.length; i++) {
      int row = first + i;
      if (gaps[row] > CLEAR_GAP) {
        float[] logits = Arrays.copyOfRange(output.logits(), row * v, (row + 1) * v);
        assertThat(HeadSummary.of(logits).topId())
            .as("%s token %d", name, i)
            .isEqualTo(expected[i]);
      }
    }
  }

  private static void compareLastRow(String name, StepOutput output) throws IOException {
    float[] expected = golden.floats(name + ".residual_post_last_row");
    int last = output.sequence().length() - 1;
    Trace trace = new Trace(engine, last + 1);
    trace.add(output, 0);
    for (int layer = 0; layer < engine.config().layers(); layer++) {
      float[] row = trace.row(HookPoint.RESIDUAL_POST, layer, last);
      assertThat(Trace.distance(row, expected, layer * row.length))
          .as("%s layer %d", name, layer)
          .isLessThan(ROW_TOLERANCE);
    }
  }

  @Test
  void shouldGiveGoldenLensMetricsWhenResidualsAreDecoded() throws IOException {
    int[] ids = consumed("case0");
    try (Sequence sequence =
        engine.open(new SequenceOptions(5, ids.length, residuals(), List.of()))) {
      StepOutput output = engine.step(List.of(new StepInput(sequence, ids, Logits.ALL))).get(0);
      CapturedRows rows = output.rows().get(0);
      int layers = engine.config().layers();
      LensRows decoded =
          lens.decode(
              LensBatch.of(rows.payload(), rows.dtype(), layers * ids.length),
              LensMetrics.summary(K));
      LensGolden.compare(golden, "case0.lens.residual_post.", decoded, 1e-3f);
      int v = engine.config().vocabularySize();
      for (int position = 0; position < ids.length; position++) {
        HeadSummary model =
            HeadSummary.of(Arrays.copyOfRange(output.logits(), position * v, (position + 1) * v));
        int last = (layers - 1) * ids.length + position;
        assertThat(decoded.topIds()[last * K]).isEqualTo(model.topId());
        assertThat(decoded.topLogits()[last * K]).isEqualTo(model.topLogit(), within(1e-3f));
        assertThat(decoded.logSumExp()[last]).isEqualTo(model.logSumExp(), within(1e-3f));
      }
    }
  }

  @Test
  void shouldSayParisWhenAskedForTheCapitalOfFrance() throws IOException, InterruptedException {
    int[] prompt = golden.integers("case0.prompt_ids");
    assertThat(engine.tokenizer().encode("The capital of France is")).isEqualTo(prompt);
    int[] expected = golden.integers("case0.greedy_ids");
    assertThat(
            Generation.greedy(expected.length, engine.config().eosTokenIds())
                .run(engine, prompt, step -> {}))
        .isEqualTo(expected);
    try (Engine brain =
        EngineLoader.load(SmolLm2.folder(), EngineOptions.defaults().withKvTokens(64))) {
      assertThat(brain.dtype()).isEqualTo(DType.BFLOAT16);
      List<StepOutput> steps = new ArrayList<>();
      int[] generated =
          Generation.greedy(2, brain.config().eosTokenIds())
              .capturing(residuals())
              .run(brain, prompt, steps::add);
      assertThat(brain.tokenizer().decode(generated)).isEqualTo(" Paris.");
      for (StepOutput step : steps) {
        assertLensEqualsHead(step);
      }
    }
  }

  @Test
  void shouldChooseTheSameTokensWhenThreeRanksShareTheModel()
      throws IOException, InterruptedException {
    int[] prompt = golden.integers("case0.prompt_ids");
    int newTokens = 4;
    List<Integer> layers = List.of(0, engine.config().layers() / 2);
    CapturePlan plan =
        new CapturePlan(
            List.of(HookPoint.ATTENTION_OUTPUT, HookPoint.MLP_OUTPUT, HookPoint.RESIDUAL_POST),
            layers,
            PositionSpec.ALL,
            true);
    Generation generation =
        Generation.greedy(newTokens, engine.config().eosTokenIds()).capturing(plan);
    List<StepOutput> expected = new ArrayList<>();
    int[] tokens = generation.run(engine, prompt, expected::add);
    EngineOptions options = EngineOptions.defaults().withDType(DType.FLOAT32).withKvTokens(64);
    try (Engine three = EngineLoader.load(SmolLm2.folder(), options.withRanks(3))) {
      List<StepOutput> actual = new ArrayList<>();
      assertThat(generation.run(three, prompt, actual::add)).isEqualTo(tokens);
      assertThat(actual).hasSize(newTokens);
      for (int i = 0; i < newTokens; i++) {
        for (int j = 0; j < plan.hookPoints().size(); j++) {
          assertClose(actual.get(i).rows().get(j), expected.get(i).rows().get(j));
        }
        assertClose(actual.get(i).finalRows(), expected.get(i).finalRows());
      }
    }
    assertThatThrownBy(() -> EngineLoader.load(SmolLm2.folder(), options.withRanks(2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "2 tensor-parallel ranks cannot share 9 query and 3 key/value heads evenly; possible are 1, 3, 9");
  }

  private static void assertClose(CapturedRows actual, CapturedRows expected) {
    float[] a = new float[actual.payload().remaining() / Float.BYTES];
    float[] b = new float[expected.payload().remaining() / Float.BYTES];
    actual.payload().duplicate().order(actual.payload().order()).asFloatBuffer().get(a);
    expected.payload().duplicate().order(expected.payload().order()).asFloatBuffer().get(b);
    int d = expected.hiddenSize();
    assertThat(a).hasSameSizeAs(b);
    for (int at = 0; at < b.length; at += d) {
      assertThat(Trace.distance(Arrays.copyOfRange(a, at, at + d), b, at))
          .as("%s, row %d", expected.hookPoint(), at / d)
          .isLessThan(ROW_TOLERANCE);
    }
  }

  /** The model's own logits come from a bfloat16 head; the lens computes in float32. */
  private static void assertLensEqualsHead(StepOutput step) {
    CapturedRows finals = step.finalRows();
    int rows = finals.positions().length;
    LensRows decoded =
        lens.decode(LensBatch.of(finals.payload(), finals.dtype(), rows), LensMetrics.summary(1));
    HeadSummary model = step.summary();
    assertThat(decoded.topIds()[rows - 1]).isEqualTo(model.topId());
    assertThat(decoded.topLogits()[rows - 1]).isEqualTo(model.topLogit(), within(0.25f));
    assertThat(decoded.logSumExp()[rows - 1]).isEqualTo(model.logSumExp(), within(0.25f));
  }
}
