package io.lensflow.decoder.lens;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTargets;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Gap;
import io.lensflow.records.LensResult;
import io.lensflow.records.NormScale;
import io.lensflow.records.ProjectionMetrics;
import io.lensflow.records.TargetMetrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteOrder;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.junit.jupiter.api.Test;

class ResultWriterTest {
  private static final Instant NOW = Instant.parse("2026-11-23T10:00:00.123456789Z");
  private static final LensPlan ALL = plan(LensMetrics.summary(2));
  private static final LensMetrics EVERY_METRIC =
      new LensMetrics(2, true, true, 3, true, true, LensAccuracy.FAST);

  @Test
  void shouldFlattenByLayerThenPosition() {
    ActivationChunk chunk = TestChunks.chunk("a", 5, 10, 11);

    List<LensResult> results = writer(1 << 20).results(chunk, ALL, decode(chunk), 0, 3);

    assertThat(results).hasSize(1);
    LensResult result = results.get(0);
    assertThat(result.getRequestId()).isEqualTo("a");
    assertThat(result.getAttemptId()).isEqualTo("a-attempt");
    assertThat(result.getSequence()).isEqualTo(5);
    assertThat(result.getParts()).isEqualTo(1);
    assertThat(result.getLens()).isEqualTo("logit");
    assertThat(result.getLabels()).containsEntry("team", "lens");
    assertThat(result.getProducedAt()).isEqualTo(Instant.parse("2026-11-23T10:00:00.123456Z"));
    assertThat(result.getLayers()).containsExactly(0, 1, 2);
    assertThat(result.getPositions()).containsExactly(10, 11);
    assertThat(result.getTokenIds()).containsExactly(2, 3);
    assertThat(result.getTokenTexts()).containsExactly("<2>", "<3>");
    assertThat(result.getTopK()).isEqualTo(2);
    // Row r has its largest logit, 3 + r/1000, at id 3 − r (mod 4).
    assertThat(result.getTopIds()).containsExactly(3, 2, 2, 1, 1, 0, 0, 3, 3, 2, 2, 1);
    assertThat(result.getTopTexts().subList(0, 2)).containsExactly("<3>", "<2>");
    assertThat(result.getTopLogits().subList(2, 4)).containsExactly(3.001f, 2.001f);
    assertThat(result.getLogSumExp()).hasSize(6);
    assertThat(result.getLogSumExp().get(4)).isEqualTo(TestModel.logSumExp(TestChunks.logits(4)));
    assertThat(result.getEntropy()).hasSize(6);
    assertThat(result.getTargets()).isNull();
    assertThat(result.getGap()).isNull();
  }

  @Test
  void shouldLeaveOutWhatWasNotAskedFor() {
    ActivationChunk chunk = TestChunks.chunk("a", 0, 0);
    LensPlan nothing = plan(new LensMetrics(0, false, false, 0, false, false, LensAccuracy.FAST));

    LensResult result = writer(1 << 20).results(chunk, nothing, decode(chunk), 0, 3).get(0);

    assertThat(result.getTopK()).isZero();
    assertThat(result.getTopIds()).isEmpty();
    assertThat(result.getTopTexts()).isEmpty();
    assertThat(result.getEntropy()).isNull();
    assertThat(result.getLogSumExp()).isNull();
  }

  @Test
  void shouldGiveEveryMetricOfEachRowWhenAllAreAskedFor() {
    ActivationChunk chunk = TestChunks.chunk("a", 5, 10, 11);

    LensResult result =
        writer(1 << 20).results(chunk, everything(), everything(chunk, 6), 0, 3).get(0);

    assertThat(result.getAccuracy()).isEqualTo(io.lensflow.records.LensAccuracy.EXACT);
    assertThat(result.getNormScale()).isEqualTo(NormScale.FINAL);
    assertThat(result.getKl()).containsExactly(0f, 1f, 2f, 3f, 4f, 5f);
    assertThat(result.getJs()).hasSize(6).last().isEqualTo(0.5f);
    TargetMetrics targets = result.getTargets();
    assertThat(targets.getTargetsPerRow()).isEqualTo(3);
    assertThat(targets.getIds()).hasSize(18).startsWith(0, 1, -1).endsWith(0, 1, -1);
    assertThat(targets.getTexts()).hasSize(18).startsWith("<0>", "<1>", "");
    assertThat(targets.getLogits().subList(15, 17)).containsExactly(15f, 16f);
    assertThat(targets.getLogProbabilities().subList(15, 17)).containsExactly(-15f, -16f);
    assertThat(targets.getRanks().subList(15, 18)).containsExactly(16, 17, 0);
    assertThat(result.getProjections())
        .extracting(ProjectionMetrics::getVector)
        .containsExactly("calm@1", "wild@22");
    assertThat(result.getProjections().get(0).getDots()).containsExactly(0f, 1f, 2f, 3f, 4f, 5f);
    assertThat(result.getProjections().get(1).getCosines()).containsOnly(Float.NaN);
  }

  @Test
  void shouldCountTheMetricsInWhenARecordMustStayUnderItsLimit() throws IOException {
    int[] positions = IntStream.range(0, 40).toArray();
    ActivationChunk chunk = TestChunks.chunk("a", 0, positions);
    int limit = 1200;

    List<LensResult> parts =
        writer(limit).results(chunk, everything(), everything(chunk, 120), 0, 3);

    assertThat(parts).hasSizeGreaterThan(8);
    for (LensResult part : parts) {
      assertThat(bytes(part)).isLessThanOrEqualTo(limit);
    }
    assertThat(parts.stream().flatMap(part -> part.getKl().stream()))
        .containsExactlyElementsOf(IntStream.range(0, 120).mapToObj(row -> (float) row).toList());
    assertThat(parts.stream().flatMap(p -> p.getProjections().get(0).getDots().stream()))
        .hasSize(120);
  }

  @Test
  void shouldSplitIntoPartsThatFitAndTogetherHoldEachRowOnce() throws IOException {
    int[] positions = IntStream.range(0, 40).toArray();
    ActivationChunk chunk = TestChunks.chunk("a", 0, positions);
    LensTable table = decode(chunk);
    LensResult whole = writer(1 << 20).results(chunk, ALL, table, 1, 3).get(0);
    int limit = 1000;
    assertThat(bytes(whole)).isGreaterThan(4 * limit);

    List<LensResult> parts = writer(limit).results(chunk, ALL, table, 1, 3);

    List<String> rows = new ArrayList<>();
    for (LensResult part : parts) {
      assertThat(bytes(part)).isLessThanOrEqualTo(limit);
      assertThat(part.getPart()).isEqualTo(parts.indexOf(part));
      assertThat(part.getParts()).isEqualTo(parts.size());
      rows.addAll(rows(part));
    }
    assertThat(rows).containsExactlyInAnyOrderElementsOf(rows(whole)).doesNotHaveDuplicates();
    assertThat(parts.stream().mapToInt(LensResult::getCanaryMismatches).sum()).isEqualTo(1);
  }

  @Test
  void shouldKeepARowWholeWhenItAloneIsTooLarge() {
    ActivationChunk chunk = TestChunks.chunk("a", 0, 0);

    assertThat(writer(1).results(chunk, ALL, decode(chunk), 0, 3)).hasSize(3);
  }

  @Test
  void shouldMakeGapsWithEmptyArrays() throws IOException {
    Gap gap = new Gap(List.of(3, 4), 10L, 11L, "lost");

    LensResult result = writer(1000).gap(TestChunks.chunk("a", 5, 0), "tuned", 3, gap);

    assertThat(result.getLens()).isEqualTo("tuned");
    assertThat(result.getSequence()).isEqualTo(3);
    assertThat(result.getGap()).isEqualTo(gap);
    assertThat(result.getPositions()).isEmpty();
    assertThat(bytes(result)).isPositive();
  }

  private static ResultWriter writer(int maxBytes) {
    return new ResultWriter(
        new TokenTexts(TestModel.SIZE, id -> "<" + id + ">"),
        maxBytes,
        Clock.fixed(NOW, ZoneOffset.UTC));
  }

  private static LensPlan plan(LensMetrics metrics) {
    return new LensPlan(Lens.LOGIT, metrics, List.of(), List.of(), NormScale.OWN, Set.of());
  }

  private static LensPlan everything() {
    return new LensPlan(
        Lens.LOGIT,
        EVERY_METRIC,
        List.of(1, 2),
        List.of("calm@1", "wild@22"),
        NormScale.FINAL,
        Set.of());
  }

  /** Row r has the KL r and the targets 0, 1 and none, whose logits are 3r and 3r + 1. */
  private static LensTable everything(ActivationChunk chunk, int rows) {
    float[] numbers = new float[rows];
    float[] nowhere = new float[rows];
    Arrays.fill(nowhere, Float.NaN);
    LensTargets targets =
        new LensTargets(
            3, new int[rows * 3], new float[rows * 3], new float[rows * 3], new int[rows * 3]);
    for (int row = 0; row < rows; row++) {
      numbers[row] = row;
    }
    for (int i = 0; i < rows * 3; i++) {
      boolean none = i % 3 == 2;
      targets.ids()[i] = none ? -1 : i % 3;
      targets.logits()[i] = none ? Float.NaN : i;
      targets.logProbabilities()[i] = none ? Float.NaN : -i;
      targets.ranks()[i] = none ? 0 : i + 1;
    }
    float[] halves = new float[rows];
    Arrays.fill(halves, 0.5f);
    LensTable table =
        new LensTable(
            rows,
            EVERY_METRIC,
            List.of(
                new Projection("calm@1", numbers, numbers),
                new Projection("wild@22", nowhere, nowhere)));
    table.fill(
        0,
        new LensRows(
            2,
            new int[rows * 2],
            new float[rows * 2],
            new float[rows * 2],
            numbers,
            numbers,
            targets,
            numbers,
            halves),
        0,
        rows);
    assertThat(table.firstNonFiniteRow()).isEqualTo(-1);
    assertThat(table.rows()).isEqualTo(chunk.getLayers().size() * chunk.getPositions().size());
    return table;
  }

  private static LensTable decode(ActivationChunk chunk) {
    int rows = chunk.getLayers().size() * chunk.getPositions().size();
    LensTable table = new LensTable(rows, LensMetrics.summary(2), List.of());
    LensBatch batch =
        LensBatch.of(
            chunk.getPayload().duplicate().order(ByteOrder.LITTLE_ENDIAN), DType.FLOAT32, rows);
    table.fill(0, new TestModel().decode(batch, LensMetrics.summary(2), null), 0, rows);
    return table;
  }

  /** Every (layer, position) of a result with all its values, as one text each. */
  private static List<String> rows(LensResult result) {
    List<String> rows = new ArrayList<>();
    int row = 0;
    for (int layer : result.getLayers()) {
      for (int i = 0; i < result.getPositions().size(); i++, row++) {
        rows.add(
            List.of(
                    layer,
                    result.getPositions().get(i),
                    result.getTokenIds().get(i),
                    result.getTopIds().subList(2 * row, 2 * row + 2),
                    result.getTopTexts().subList(2 * row, 2 * row + 2),
                    result.getTopLogits().subList(2 * row, 2 * row + 2),
                    result.getTopProbabilities().subList(2 * row, 2 * row + 2),
                    result.getEntropy().get(row),
                    result.getLogSumExp().get(row))
                .toString());
      }
    }
    return rows;
  }

  private static int bytes(LensResult result) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
    new SpecificDatumWriter<>(LensResult.class).write(result, encoder);
    encoder.flush();
    return out.size();
  }
}
