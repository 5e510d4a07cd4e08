package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Rows of a real checkpoint through real topics, against metrics computed in float64 elsewhere. */
@ExtendWith(KafkaExtension.class)
class DecoderGoldenIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int ROWS_A_CHUNK = 5;

  @Test
  void shouldEqualGoldenMetricsAndGoOnPastBadRecords(KafkaEnvironment environment)
      throws Exception {
    Path fixture = SharedData.folder("fixtures/tiny-llama31");
    Map<String, GoldenCase> cases = new HashMap<>();
    List<ActivationChunk> chunks = new ArrayList<>();
    try (DecoderTestBed bed = new DecoderTestBed(environment, fixture)) {
      for (int i = 0; i < 4; i++) {
        GoldenCase golden = GoldenCase.read(fixture, "case" + i);
        cases.put("case" + i, golden);
        int sequence = 0;
        for (int from = 0; from < golden.rows; from += ROWS_A_CHUNK) {
          int to = Math.min(golden.rows, from + ROWS_A_CHUNK);
          chunks.add(
              golden.chunk("case" + i, sequence++, bed.revision, bed.tokenizerHash, from, to));
        }
      }
      try (DecoderService service = bed.start(Map.of())) {
        Await.until("readiness", LIMIT, () -> service.readiness().ready());
        bed.sendBytes("nobody", "no chunk at all");
        bed.send(lying(chunks.get(0)));
        chunks.forEach(bed::send);
        bed.awaitResults(chunks.size() + 1, LIMIT);

        List<LensResult> decoded =
            bed.results.stream().filter(result -> result.getGap() == null).toList();
        assertThat(decoded).hasSize(chunks.size());
        decoded.forEach(result -> assertEqualsGolden(cases.get(result.getRequestId()), result));

        assertThat(bed.deadLetters)
            .extracting(letter -> letter.getFailure().getCode())
            .containsExactlyInAnyOrder("UNREADABLE_RECORD", "CHECKSUM_MISMATCH");
        assertThat(DecoderTestBed.get(service.port(), "/readyz").statusCode()).isEqualTo(200);
        int rows = cases.values().stream().mapToInt(golden -> golden.rows).sum();
        assertThat(DecoderTestBed.metric(service.port(), "lensflow_decoder_canary_checked_total"))
            .isEqualTo(rows);
        assertThat(
                DecoderTestBed.metric(service.port(), "lensflow_decoder_canary_mismatches_total"))
            .isZero();
        assertThat(DecoderTestBed.metric(service.port(), "lensflow_decoder_rows_total"))
            .isEqualTo(4.0 * rows);
        assertThat(DecoderTestBed.metric(service.port(), "lensflow_decoder_dead_letters_total"))
            .isEqualTo(2);

        ActivationChunk foul =
            cases.get("case0").chunk("foul", 0, bed.revision, bed.tokenizerHash, 0, 2);
        foul.setModelTopLogits(
            List.of(foul.getModelTopLogits().get(0), foul.getModelTopLogits().get(1) + 0.01f));
        bed.send(foul);
        bed.awaitResults(chunks.size() + 2, LIMIT);
        assertThat(bed.results.get(chunks.size() + 1).getCanaryMismatches()).isEqualTo(1);
      }
    }
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

  private static void assertEqualsGolden(GoldenCase golden, LensResult result) {
    assertThat(result.getHookPoint()).isEqualTo(HookPoint.RESIDUAL_POST);
    assertThat(result.getCanaryMismatches()).isZero();
    assertThat(result.getTopK()).isEqualTo(5);
    int row = 0;
    for (int layer : result.getLayers()) {
      for (int position : result.getPositions()) {
        int at = layer * golden.rows + position;
        assertThat(result.getEntropy().get(row)).isCloseTo(golden.entropy[at], within(1e-3f));
        assertThat(result.getLogSumExp().get(row)).isCloseTo(golden.logSumExp[at], within(1e-3f));
        for (int rank = 0; rank < 5; rank++) {
          int mine = row * 5 + rank;
          int theirs = at * 5 + rank;
          assertThat(result.getTopLogits().get(mine))
              .isCloseTo(golden.topLogits[theirs], within(1e-3f));
          assertThat(result.getTopProbabilities().get(mine))
              .isCloseTo(golden.topProbabilities[theirs], within(1e-5f));
          if (isClear(golden, theirs, rank)) {
            assertThat(result.getTopIds().get(mine)).isEqualTo((int) golden.topIds[theirs]);
          }
        }
        row++;
      }
    }
  }

  /** Whether rounding cannot swap this token with a neighbour. */
  private static boolean isClear(GoldenCase golden, int at, int rank) {
    float logit = golden.topLogits[at];
    return (rank == 0 || golden.topLogits[at - 1] - logit > 1e-4f)
        && (rank == 4 || logit - golden.topLogits[at + 1] > 1e-4f);
  }
}
