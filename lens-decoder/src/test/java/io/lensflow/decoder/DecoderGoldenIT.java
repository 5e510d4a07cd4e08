package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rows of checkpoints through real topics, against metrics computed in float64 elsewhere: every
 * metric of every case, and what is bad in between goes to the dead letters.
 */
@ExtendWith(KafkaExtension.class)
class DecoderGoldenIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int ROWS_A_CHUNK = 5;
  private static final float PROBABILITIES = 1e-5f;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama31", "tiny-qwen3", "tiny-qwen2", "tiny-mistral"})
  void shouldEqualGoldenMetricsAndGoOnPastBadRecords(String name, KafkaEnvironment environment)
      throws Exception {
    Path fixture = SharedData.folder("fixtures/" + name);
    Map<String, GoldenCase> cases = cases(fixture);
    List<ActivationChunk> chunks = new ArrayList<>();
    try (DecoderTestBed bed = new DecoderTestBed(environment, fixture)) {
      cases.forEach((request, golden) -> chunks.addAll(chunks(bed, request, golden)));
      try (DecoderService service = bed.start(Map.of())) {
        Await.until("readiness", LIMIT, () -> service.readiness().ready());
        bed.sendBytes("nobody", "no chunk at all");
        bed.sendBytes("nobody", "\0\0\1\0\7 under a schema that nobody registered");
        bed.send(lying(chunks.get(0)));
        chunks.forEach(bed::send);
        bed.awaitResults(chunks.size() + 1, LIMIT);

        List<LensResult> decoded =
            bed.results.stream().filter(result -> result.getGap() == null).toList();
        assertThat(decoded).hasSize(chunks.size());
        for (LensResult result : decoded) {
          assertThat(result.getCanaryMismatches()).isZero();
          cases.get(result.getRequestId()).lens.assertEqualsIn(result, PROBABILITIES);
          assertNamedTargets(result);
        }

        assertThat(bed.deadLetters)
            .extracting(letter -> letter.getFailure().getCode())
            .containsExactlyInAnyOrder(
                "UNREADABLE_RECORD", "UNREADABLE_RECORD", "CHECKSUM_MISMATCH");
        assertCounters(cases, service);
        assertCanaryIsAlive(bed, cases.get("case0"));
      }
    }
  }

  private static Map<String, GoldenCase> cases(Path fixture) throws IOException {
    Map<String, GoldenCase> cases = new LinkedHashMap<>();
    for (int i = 0; i < 4; i++) {
      cases.put("case" + i, GoldenCase.read(fixture, "case" + i));
    }
    for (HookPoint hookPoint : List.of(HookPoint.ATTENTION_INPUT, HookPoint.RESIDUAL_MID)) {
      cases.put("case1-" + hookPoint, GoldenCase.read(fixture, "case1", hookPoint));
    }
    return cases;
  }

  private static List<ActivationChunk> chunks(
      DecoderTestBed bed, String request, GoldenCase golden) {
    List<ActivationChunk> chunks = new ArrayList<>();
    for (int from = 0; from < golden.rows; from += ROWS_A_CHUNK) {
      int to = Math.min(golden.rows, from + ROWS_A_CHUNK);
      ActivationChunk chunk =
          golden.chunk(request, chunks.size(), bed.revision, bed.tokenizerHash, from, to);
      chunk.setLenses(List.of(TestChunks.everyMetric("logit", 5)));
      chunks.add(chunk);
    }
    return chunks;
  }

  /** The tokens 7 and 8, which {@link TestChunks#everyMetric} names: told in every row. */
  private static void assertNamedTargets(LensResult result) {
    int rows = result.getLayers().size() * result.getPositions().size();
    assertThat(result.getTargets().getTargetsPerRow()).isEqualTo(3);
    assertThat(result.getTargets().getIds()).hasSize(3 * rows);
    for (int row = 0; row < rows; row++) {
      assertThat(result.getTargets().getIds().subList(3 * row + 1, 3 * row + 3))
          .containsExactly(7, 8);
      int top = result.getTopIds().subList(5 * row, 5 * row + 5).indexOf(7);
      if (top >= 0) {
        assertThat(result.getTargets().getLogits().get(3 * row + 1))
            .isEqualTo(result.getTopLogits().get(5 * row + top));
        assertThat(result.getTargets().getRanks().get(3 * row + 1)).isEqualTo(top + 1);
      }
    }
  }

  private static void assertCounters(Map<String, GoldenCase> cases, DecoderService service)
      throws Exception {
    int port = service.port();
    assertThat(DecoderTestBed.get(port, "/readyz").statusCode()).isEqualTo(200);
    int residualRows = 0;
    int rows = 0;
    for (Map.Entry<String, GoldenCase> one : cases.entrySet()) {
      residualRows += one.getKey().contains("-") ? 0 : one.getValue().rows;
      rows += one.getValue().layers * one.getValue().rows;
    }
    assertThat(DecoderTestBed.metric(port, "lensflow_decoder_canary_checked_total"))
        .isEqualTo(residualRows);
    assertThat(DecoderTestBed.metric(port, "lensflow_decoder_canary_mismatches_total")).isZero();
    assertThat(DecoderTestBed.metric(port, "lensflow_decoder_rows_total")).isEqualTo(rows);
    assertThat(DecoderTestBed.metric(port, "lensflow_decoder_dead_letters_total")).isEqualTo(3);
  }

  private static void assertCanaryIsAlive(DecoderTestBed bed, GoldenCase golden) {
    ActivationChunk foul = golden.chunk("foul", 0, bed.revision, bed.tokenizerHash, 0, 2);
    foul.setModelTopLogits(
        List.of(foul.getModelTopLogits().get(0), foul.getModelTopLogits().get(1) + 0.01f));
    bed.send(foul);
    bed.awaitResults(bed.results.size() + 1, LIMIT);
    assertThat(bed.results.get(bed.results.size() - 1).getCanaryMismatches()).isEqualTo(1);
  }

  private static ActivationChunk lying(ActivationChunk model) {
    ActivationChunk chunk = new ActivationChunk();
    for (int i = 0; i < model.getSchema().getFields().size(); i++) {
      chunk.put(i, model.get(i));
    }
    chunk.setRequestId("damaged");
    chunk.setAttemptId("damaged-attempt");
    chunk.setCrc32c(model.getCrc32c() ^ 1);
    return chunk;
  }
}
