package io.lensflow.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.records.AppliedSteering;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Failure;
import io.lensflow.records.FinishReason;
import io.lensflow.records.Finished;
import io.lensflow.records.Gap;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.SteeringSource;
import io.lensflow.records.Timings;
import io.lensflow.records.Tokens;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonPrinterTest {
  private final ObjectMapper mapper = new ObjectMapper();

  @Test
  void shouldWriteALineForEachToken() throws Exception {
    CompletionEvent event =
        event(CompletionType.TOKENS)
            .setTokens(
                Tokens.newBuilder()
                    .setPositions(List.of(6, 7))
                    .setIds(List.of(1175, 18))
                    .setTexts(List.of(" Paris", "."))
                    .build())
            .build();

    assertThat(lines(new LiveEvent.TokensGenerated(event)))
        .containsExactly(
            "{\"type\":\"token\",\"request\":\"r\",\"attempt\":\"a\",\"model\":\"m\","
                + "\"position\":6,\"id\":1175,\"text\":\" Paris\"}",
            "{\"type\":\"token\",\"request\":\"r\",\"attempt\":\"a\",\"model\":\"m\","
                + "\"position\":7,\"id\":18,\"text\":\".\"}");
  }

  @Test
  void shouldWriteALineForEachRowAndLayer() throws Exception {
    List<String> lines = lines(new LiveEvent.ResultArrived(result().build()));

    assertThat(lines).hasSize(2);
    JsonNode second = mapper.readTree(lines.get(1));
    assertThat(second.fieldNames())
        .toIterable()
        .containsExactly(
            "type",
            "request",
            "attempt",
            "model",
            "lens",
            "hookPoint",
            "layer",
            "position",
            "tokenId",
            "top",
            "entropy",
            "logSumExp",
            "steering");
    assertThat(second.path("type").asText()).isEqualTo("lens");
    assertThat(second.path("hookPoint").asText()).isEqualTo("RESIDUAL_POST");
    assertThat(second.path("layer").asInt()).isEqualTo(7);
    assertThat(second.path("position").asInt()).isEqualTo(5);
    assertThat(second.path("top").toString())
        .isEqualTo("[{\"id\":1175,\"text\":\" Paris\",\"logit\":9.5,\"probability\":0.75}]");
    assertThat(second.path("steering").toString()).isEqualTo("[]");
  }

  @Test
  void shouldNameTheSteeringOfARow() throws Exception {
    AppliedSteering applied =
        AppliedSteering.newBuilder()
            .setName("honesty")
            .setVersion(3)
            .setLayer(2)
            .setHookPoint(HookPoint.ATTENTION_INPUT)
            .setOperation(SteeringOperation.ADD)
            .setMultiplier(1.5f)
            .setSource(SteeringSource.REQUEST)
            .build();

    String line =
        lines(new LiveEvent.ResultArrived(result().setSteering(List.of(applied)).build())).get(0);
    assertThat(mapper.readTree(line).path("steering").get(0).toString())
        .isEqualTo(
            "{\"name\":\"honesty\",\"version\":3,\"layer\":2,\"hookPoint\":\"ATTENTION_INPUT\","
                + "\"operation\":\"ADD\",\"multiplier\":1.5,\"positions\":\"all\","
                + "\"preserveNorm\":false,\"source\":\"REQUEST\",\"policy\":null}");
  }

  @Test
  void shouldWriteNullWhereThereIsNoNumber() throws Exception {
    LensResult result =
        result().setEntropy(null).setLogSumExp(null).setKl(List.of(0.5f, Float.NaN)).build();

    JsonNode second = mapper.readTree(lines(new LiveEvent.ResultArrived(result)).get(1));
    assertThat(second.path("entropy").isNull()).isTrue();
    assertThat(second.path("logSumExp").isNull()).isTrue();
    assertThat(second.has("js")).isFalse();
    assertThat(second.has("kl")).isTrue();
    assertThat(second.path("kl").isNull()).isTrue();
  }

  @Test
  void shouldWriteOneLineForAGap() throws Exception {
    LensResult gap =
        LensResult.newBuilder()
            .setRequestId("r")
            .setAttemptId("a")
            .setGap(
                Gap.newBuilder().setMissingSequences(List.of(2, 3)).setReason("deleted").build())
            .build();

    assertThat(lines(new LiveEvent.ResultArrived(gap)))
        .containsExactly(
            "{\"type\":\"gap\",\"request\":\"r\",\"attempt\":\"a\",\"model\":\"\","
                + "\"lens\":\"\",\"hookPoint\":\"UNKNOWN\",\"missingSequences\":[2,3],"
                + "\"firstOffset\":-1,\"lastOffset\":-1,\"reason\":\"deleted\"}");
  }

  @Test
  void shouldWriteHowARequestFinished() throws Exception {
    CompletionEvent event =
        event(CompletionType.FINISHED)
            .setFinished(
                Finished.newBuilder()
                    .setReason(FinishReason.EOS)
                    .setText(" Paris.")
                    .setPromptTokens(6)
                    .setGeneratedTokens(3)
                    .setRows(8)
                    .setTimings(new Timings(1L, 2L, 3L, 4L))
                    .build())
            .build();

    assertThat(lines(new LiveEvent.Completed(event)))
        .containsExactly(
            "{\"type\":\"finished\",\"request\":\"r\",\"attempt\":\"a\",\"model\":\"m\","
                + "\"reason\":\"EOS\",\"text\":\" Paris.\",\"stopString\":null,\"promptTokens\":6,"
                + "\"generatedTokens\":3,\"chunks\":0,\"rows\":8,\"droppedRows\":0,\"queuedMicros\":1,\"prefillMicros\":2,"
                + "\"decodeMicros\":3,\"totalMicros\":4}");
  }

  @Test
  void shouldWriteHowARequestFailed() {
    CompletionEvent event =
        event(CompletionType.FAILED)
            .setFailure(new Failure("INVALID_REQUEST", "there is no layer 99", "capture.layers"))
            .build();

    assertThat(lines(new LiveEvent.Completed(event)))
        .containsExactly(
            "{\"type\":\"failed\",\"request\":\"r\",\"attempt\":\"a\",\"model\":\"m\",\"error\":{\"code\":\"INVALID_REQUEST\","
                + "\"message\":\"there is no layer 99\",\"field\":\"capture.layers\"}}");
  }

  private static List<String> lines(LiveEvent event) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new JsonPrinter(new PrintStream(bytes, false, StandardCharsets.UTF_8)).print(event);
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private static CompletionEvent.Builder event(CompletionType type) {
    return CompletionEvent.newBuilder()
        .setRequestId("r")
        .setAttemptId("a")
        .setModel("m")
        .setType(type);
  }

  private static LensResult.Builder result() {
    return LensResult.newBuilder()
        .setRequestId("r")
        .setAttemptId("a")
        .setModel("m")
        .setLens("logit")
        .setHookPoint(HookPoint.RESIDUAL_POST)
        .setLayers(List.of(0, 7))
        .setPositions(List.of(5))
        .setTokenIds(List.of(300))
        .setTokenTexts(List.of(" is"))
        .setTopK(1)
        .setTopIds(List.of(42, 1175))
        .setTopTexts(List.of(" the", " Paris"))
        .setTopLogits(List.of(1.5f, 9.5f))
        .setTopProbabilities(List.of(0.25f, 0.75f))
        .setEntropy(List.of(2f, 1f))
        .setLogSumExp(List.of(3f, 10f));
  }
}
