package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.LensResult;
import io.lensflow.records.NormScale;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What a running decoder holds beside the head: translators, vectors, the model's own scale. */
@ExtendWith(KafkaExtension.class)
class DecoderLensesIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int TARGET = 7;

  @TempDir private Path lenses;
  private Path fixture;
  private DecoderTestBed bed;
  private DecoderService service;

  @BeforeEach
  void start(KafkaEnvironment environment) throws Exception {
    fixture = SharedData.folder("fixtures/tiny-llama31");
    bed = new DecoderTestBed(environment, fixture);
    service =
        bed.start(
            Map.of(
                "lensflow.decoder.lenses",
                lenses.toString(),
                "lensflow.decoder.lenses-interval",
                "50ms"));
    Await.until("readiness", LIMIT, () -> service.readiness().ready());
  }

  @AfterEach
  void stop() {
    if (service != null) {
      service.close();
    }
    if (bed != null) {
      bed.close();
    }
  }

  @Test
  void shouldUseALensThatIsWrittenWhileItRuns() throws Exception {
    GoldenCase golden = GoldenCase.read(fixture, "case0");
    LensRequest logit = targets("logit");
    LensRequest tuned = targets("tuned");
    send(golden, "before", logit, tuned);
    bed.awaitResults(2, LIMIT);
    assertThat(result("before", "logit").getGap()).isNull();
    assertThat(result("before", "tuned").getGap().getReason())
        .contains("no lens 'tuned'; it has 'logit'");

    // h − 2h = −h: every logit changes its sign, but at the last layer, which stays as it is.
    TestTranslators.write(
        lenses.resolve("tuned.safetensors"),
        "tuned",
        TestModel.NAME,
        bed.revision,
        golden.layers,
        golden.hiddenSize,
        -2);
    TestTranslators.write(
        lenses.resolve("other.safetensors"), "other", "another-model", bed.revision, 4, 64, 0);
    Await.until("the lens", LIMIT, () -> metric("lensflow_decoder_lenses_held") == 2);
    send(golden, "after", logit, tuned);
    bed.awaitResults(4, LIMIT);

    List<Float> plain = result("after", "logit").getTargets().getLogits();
    List<Float> mirrored = result("after", "tuned").getTargets().getLogits();
    int rows = golden.layers * golden.rows;
    assertThat(mirrored).hasSize(2 * rows);
    for (int i = 0; i < 2 * rows; i++) {
      float sign = i < 2 * (rows - golden.rows) ? -1 : 1;
      assertThat(mirrored.get(i)).isCloseTo(sign * plain.get(i), within(1e-4f));
    }
    assertThat(metric("lensflow_decoder_lenses_refused_total")).isEqualTo(1);
    assertThat(bed.deadLetters).isEmpty();
  }

  @Test
  void shouldPutRowsThatALensWasNotMadeForAmongTheDeadLetters() throws Exception {
    GoldenCase golden = GoldenCase.read(fixture, "case1", HookPoint.RESIDUAL_MID);
    TestTranslators.write(
        lenses.resolve("tuned.safetensors"),
        "tuned",
        TestModel.NAME,
        bed.revision,
        golden.layers,
        golden.hiddenSize,
        1);
    Await.until("the lens", LIMIT, () -> metric("lensflow_decoder_lenses_held") == 2);

    send(golden, "elsewhere", targets("tuned"), targets("logit"));
    bed.awaitResults(2, LIMIT);

    assertThat(result("elsewhere", "logit").getGap()).isNull();
    assertThat(result("elsewhere", "tuned").getGap().getReason()).contains("RESIDUAL_MID");
    Await.until(
        "the dead letter",
        LIMIT,
        () -> {
          bed.read(Duration.ofMillis(50));
          return !bed.deadLetters.isEmpty();
        });
    assertThat(bed.deadLetters.get(0).getFailure().getCode()).isEqualTo("LENS_MISMATCH");
  }

  @Test
  void shouldProjectRowsOntoAVectorThatIsPublishedWhileItRuns() throws Exception {
    GoldenCase golden = GoldenCase.read(fixture, "case0");
    float[] vector = golden.row(2, 3);
    bed.publishVector("calm", 2, vector);
    LensRequest lens = TestChunks.lens("logit", 1);
    lens.setMetrics(List.of(LensMetric.PROJECTIONS));
    lens.setProjections(List.of("calm@1"));

    send(golden, "projected", lens);
    LensRequest unknown = LensRequest.newBuilder(lens).setProjections(List.of("wild@9")).build();
    send(golden, "unknown", unknown);
    bed.awaitResults(2, LIMIT);

    LensResult result = result("projected", "logit");
    assertThat(result.getTopIds()).isEmpty();
    assertThat(result.getLogSumExp()).isNull();
    assertThat(result.getProjections().get(0).getVector()).isEqualTo("calm@1");
    List<Float> cosines = result.getProjections().get(0).getCosines();
    assertThat(cosines.get(2 * golden.rows + 3)).isCloseTo(1, within(1e-6f));
    assertThat(result.getProjections().get(0).getDots().get(2 * golden.rows + 3))
        .isCloseTo((float) Math.sqrt(dot(vector, vector)), within(1e-4f));
    assertThat(cosines.subList(0, 2 * golden.rows)).containsOnly(Float.NaN);
    assertThat(result("unknown", "logit").getGap().getReason()).contains("no vector 'wild@9'");
    assertThat(metric("lensflow_decoder_rows_total")).as("rows through the head").isZero();
  }

  /** Embedding, attention and MLP outputs of all layers, each through the model's own scale. */
  @Test
  void shouldAddUpToTheModelsLogitsWhenTheNormIsFrozen() throws Exception {
    int expected = 0;
    GoldenCase model = GoldenCase.read(fixture, "case1");
    for (HookPoint hookPoint :
        List.of(
            HookPoint.RESIDUAL_PRE,
            HookPoint.ATTENTION_OUTPUT,
            HookPoint.MLP_OUTPUT,
            HookPoint.RESIDUAL_POST)) {
      LensRequest lens = targets("logit");
      lens.setNormScale(NormScale.FINAL);
      send(GoldenCase.read(fixture, "case1", hookPoint), hookPoint.name(), lens);
      expected++;
    }
    bed.awaitResults(expected, LIMIT);

    assertThat(bed.results).allMatch(result -> result.getNormScale() == NormScale.FINAL);
    for (int position = 0; position < model.rows; position++) {
      double sum = logit(HookPoint.RESIDUAL_PRE, model, 0, position);
      for (int layer = 0; layer < model.layers; layer++) {
        sum += logit(HookPoint.ATTENTION_OUTPUT, model, layer, position);
        sum += logit(HookPoint.MLP_OUTPUT, model, layer, position);
      }
      assertThat(sum)
          .as("position %d", position)
          .isCloseTo(
              logit(HookPoint.RESIDUAL_POST, model, model.layers - 1, position), within(1e-3));
    }
  }

  private double logit(HookPoint hookPoint, GoldenCase golden, int layer, int position) {
    int row = layer * golden.rows + position;
    return result(hookPoint.name(), "logit").getTargets().getLogits().get(2 * row + 1);
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += (double) a[d] * b[d];
    }
    return sum;
  }

  private static LensRequest targets(String name) {
    LensRequest lens = TestChunks.lens(name, 1);
    lens.setMetrics(List.of(LensMetric.TARGETS));
    lens.setTargetIds(List.of(TARGET));
    return lens;
  }

  private void send(GoldenCase golden, String request, LensRequest... asked) {
    ActivationChunk chunk =
        golden.chunk(request, 0, bed.revision, bed.tokenizerHash, 0, golden.rows);
    chunk.setLenses(List.of(asked));
    bed.send(chunk);
  }

  private LensResult result(String request, String lens) {
    return bed.results.stream()
        .filter(r -> r.getRequestId().equals(request) && r.getLens().equals(lens))
        .findFirst()
        .orElseThrow();
  }

  private double metric(String name) {
    try {
      return DecoderTestBed.metric(service.port(), name);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
