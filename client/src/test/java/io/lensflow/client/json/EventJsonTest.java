package io.lensflow.client.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Failure;
import io.lensflow.records.FinishReason;
import io.lensflow.records.Finished;
import io.lensflow.records.Gap;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.ProjectionMetrics;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringSource;
import io.lensflow.records.TargetMetrics;
import io.lensflow.records.Timings;
import io.lensflow.records.Tokens;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventJsonTest {
  @Test
  void shouldWriteATokenWhenItsIndexIsGiven() throws Exception {
    CompletionEvent event =
        completion(CompletionType.TOKENS)
            .setTokens(
                Tokens.newBuilder()
                    .setPositions(List.of(4, 5))
                    .setIds(List.of(7, 8))
                    .setTexts(List.of(" Par", "is\n\"é"))
                    .setLogProbs(List.of(-1f, Float.NEGATIVE_INFINITY))
                    .build())
            .build();

    assertThat(json(EventJson.token(event, 1)))
        .isEqualTo(
            json(
                """
                {"type": "token", "request": "r", "attempt": "a", "model": "m",
                 "position": 5, "id": 8, "text": "is\\n\\"é", "logProb": null}"""));
    assertThat(EventJson.token(event, 1)).doesNotContain("\n");
  }

  @Test
  void shouldTakeTheCellOfLayerAndPositionWhenArraysAreFlattened() throws Exception {
    LensResult result =
        lens()
            .setLayers(List.of(0, 3))
            .setPositions(List.of(10, 11))
            .setTokenIds(List.of(1, 2))
            .setTopK(1)
            .setTopIds(List.of(100, 101, 102, 103))
            .setTopTexts(List.of("a", "b", "c", "d"))
            .setTopLogits(List.of(1f, 2f, 3f, 4f))
            .setTopProbabilities(List.of(.1f, .2f, .3f, .4f))
            .setEntropy(List.of(5f, 6f, 7f, 8f))
            .setKl(List.of(.5f, .6f, .7f, .8f))
            .setTargets(
                TargetMetrics.newBuilder()
                    .setTargetsPerRow(2)
                    .setIds(List.of(1, 9, 1, 9, 1, 9, -1, 9))
                    .setLogits(List.of(1f, 1f, 1f, 1f, 1f, 1f, Float.NaN, 2f))
                    .setLogProbabilities(List.of(1f, 1f, 1f, 1f, 1f, 1f, Float.NaN, -2f))
                    .setRanks(List.of(1, 1, 1, 1, 1, 1, 0, 17))
                    .setTexts(List.of("a", "i", "a", "i", "a", "i", "", "i"))
                    .build())
            .setJs(List.of(.1f, .2f, .3f, .4f))
            .setProjections(
                List.of(
                    ProjectionMetrics.newBuilder()
                        .setVector("calm@3")
                        .setDots(List.of(1f, 2f, 3f, 4f))
                        .setCosines(List.of(.1f, .2f, .3f, Float.NaN))
                        .build()))
            .setSteering(
                List.of(
                    AppliedSteering.newBuilder()
                        .setName("calm")
                        .setVersion(3)
                        .setLayer(1)
                        .setHookPoint(HookPoint.ATTENTION_INPUT)
                        .setOperation(SteeringOperation.ADD)
                        .setMultiplier(1.5f)
                        .setSource(SteeringSource.REQUEST)
                        .build()))
            .build();

    assertThat(json(EventJson.lens(result, 1, 1)))
        .isEqualTo(
            json(
                """
                {"type": "lens", "request": "r", "attempt": "a", "model": "m",
                 "lens": "logit", "hookPoint": "RESIDUAL_POST", "layer": 3, "position": 11,
                 "tokenId": 2, "top": [{"id": 103, "text": "d", "logit": 4.0, "probability": 0.4}],
                 "entropy": 8.0, "logSumExp": null,
                 "targets": [{"id": 9, "text": "i", "logit": 2.0, "logProbability": -2.0,
                   "rank": 17}],
                 "kl": 0.8, "js": 0.4,
                 "projections": [{"vector": "calm@3", "dot": 4.0, "cosine": null}],
                 "steering": [{"name": "calm", "version": 3, "layer": 1,
                   "hookPoint": "ATTENTION_INPUT", "operation": "ADD", "multiplier": 1.5,
                   "positions": "all", "preserveNorm": false, "source": "REQUEST",
                   "policy": null}]}"""));
  }

  @Test
  void shouldSayWhatWasLostWhenAResultIsAGap() throws Exception {
    LensResult result =
        lens()
            .setGap(
                Gap.newBuilder().setMissingSequences(List.of(3, 4)).setReason("retention").build())
            .build();

    assertThat(json(EventJson.gap(result)))
        .isEqualTo(
            json(
                """
                {"type": "gap", "request": "r", "attempt": "a", "model": "m",
                 "lens": "logit", "hookPoint": "RESIDUAL_POST", "missingSequences": [3, 4],
                 "firstOffset": -1, "lastOffset": -1, "reason": "retention"}"""));
  }

  @Test
  void shouldPutTimingsBesideTheOtherFieldsWhenARequestFinishes() throws Exception {
    CompletionEvent event =
        completion(CompletionType.FINISHED)
            .setFinished(
                Finished.newBuilder()
                    .setReason(FinishReason.EOS)
                    .setText(" Paris")
                    .setPromptTokens(6)
                    .setGeneratedTokens(2)
                    .setChunks(3)
                    .setRows(7)
                    .setTimings(
                        Timings.newBuilder()
                            .setQueuedMicros(1)
                            .setPrefillMicros(2)
                            .setDecodeMicros(3)
                            .setTotalMicros(4)
                            .build())
                    .build())
            .build();

    assertThat(json(EventJson.terminal(event, null)))
        .isEqualTo(
            json(
                """
                {"type": "finished", "request": "r", "attempt": "a", "model": "m",
                 "reason": "EOS", "text": " Paris", "stopString": null, "promptTokens": 6,
                 "generatedTokens": 2, "chunks": 3, "rows": 7, "droppedRows": 0, "queuedMicros": 1,
                 "prefillMicros": 2, "decodeMicros": 3, "totalMicros": 4}"""));
    assertThat(json(EventJson.terminal(event, "n")).get("note").textValue()).isEqualTo("n");
  }

  @Test
  void shouldCarryTheReasonWhenARequestFailsOrIsCancelled() throws Exception {
    Failure failure =
        Failure.newBuilder().setCode("X").setMessage("why").setField("capture.layers").build();

    assertThat(
            json(EventJson.terminal(
                    completion(CompletionType.FAILED).setFailure(failure).build(), null))
                .get("error"))
        .isEqualTo(json("{\"code\": \"X\", \"message\": \"why\", \"field\": \"capture.layers\"}"));
    assertThat(
            json(EventJson.terminal(
                    completion(CompletionType.CANCELLED).setFailure(failure).build(), null))
                .get("reason")
                .textValue())
        .isEqualTo("why");
    assertThatThrownBy(() -> EventJson.terminal(completion(CompletionType.TOKENS).build(), null))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static JsonNode json(String text) throws JsonProcessingException {
    return new ObjectMapper().readTree(text);
  }

  private static CompletionEvent.Builder completion(CompletionType type) {
    return CompletionEvent.newBuilder()
        .setRequestId("r")
        .setAttempt(2)
        .setAttemptId("a")
        .setModel("m")
        .setType(type);
  }

  private static LensResult.Builder lens() {
    return LensResult.newBuilder()
        .setRequestId("r")
        .setAttempt(2)
        .setAttemptId("a")
        .setModel("m")
        .setLens("logit")
        .setHookPoint(HookPoint.RESIDUAL_POST);
  }
}
