package io.lensflow.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.lens.HeadSummary;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final int[] NO_PROMPT = {};
  private static final float[] OTHERS = {-1f, -1.5f};
  private static final float[] LOGITS = {1f, 3f, 2f, 3f, -1f};

  @Test
  void shouldTakeLowestIdWhenGreedyLogitsTie() {
    Sampler sampler = Sampler.of(SamplingOptions.GREEDY, NO_PROMPT);
    assertThat(sampler.next(LOGITS, HeadSummary.of(LOGITS), 0)).isEqualTo(1);
    double total = Arrays.stream(new double[] {1, 3, 2, 3, -1}).map(Math::exp).sum();
    assertThat(sampler.logProbability()).isCloseTo((float) (3 - Math.log(total)), within(1e-6f));
  }

  @Test
  void shouldPenaliseTokensOfPromptAndOutputWhenRepetitionPenaltyIsSet() {
    SamplingOptions options = new SamplingOptions(0, 1, 0, 0, 2, 0);
    Sampler sampler = Sampler.of(options, new int[] {1});
    assertThat(sampler.next(LOGITS, HeadSummary.of(LOGITS), 1)).isEqualTo(3);
    assertThat(sampler.next(LOGITS, HeadSummary.of(LOGITS), 2)).isEqualTo(2);
    assertThat(Sampler.of(options, new int[] {0}).next(OTHERS, HeadSummary.of(OTHERS), 1))
        .isEqualTo(1);
  }

  @Test
  void shouldRepeatItselfWhenSeedAndPositionAreTheSame() {
    SamplingOptions options = new SamplingOptions(1, 1, 0, 0, 1, 42);
    for (int position = 0; position < 50; position++) {
      assertThat(Sampler.of(options, NO_PROMPT).next(LOGITS, HeadSummary.of(LOGITS), position))
          .isEqualTo(Sampler.of(options, NO_PROMPT).next(LOGITS, HeadSummary.of(LOGITS), position));
    }
  }

  @Test
  void shouldFollowTheCumulativeProbabilityWhenDrawing() {
    SamplingOptions options = new SamplingOptions(0.7f, 1, 0, 0, 1, 9);
    int[] ranked = {1, 3, 2, 0, 4};
    for (int position = 0; position < 200; position++) {
      double total = 0;
      for (float logit : LOGITS) {
        total += Math.exp(logit / 0.7);
      }
      double u = Philox.uniform(9, position);
      double cumulative = 0;
      int expected = -1;
      for (int id : ranked) {
        cumulative += Math.exp(LOGITS[id] / 0.7) / total;
        if (cumulative > u) {
          expected = id;
          break;
        }
      }
      assertThat(Sampler.of(options, NO_PROMPT).next(LOGITS, HeadSummary.of(LOGITS), position))
          .isEqualTo(expected);
    }
  }

  @Test
  void shouldKeepOnlyLikelyTokensWhenCut() {
    assertThat(drawn(new SamplingOptions(1, 1, 1, 0, 1, 3))).containsExactly(1);
    assertThat(drawn(new SamplingOptions(1, 1, 2, 0, 1, 3))).containsExactlyInAnyOrder(1, 3);
    assertThat(drawn(new SamplingOptions(1, 0.1f, 0, 0, 1, 3))).containsExactly(1);
    assertThat(drawn(new SamplingOptions(1, 0.7f, 0, 0, 1, 3))).containsExactlyInAnyOrder(1, 3);
    assertThat(drawn(new SamplingOptions(1, 1, 0, 0.3f, 1, 3))).containsExactlyInAnyOrder(1, 2, 3);
    assertThat(drawn(new SamplingOptions(1, 1, 0, 0, 1, 3)))
        .containsExactlyInAnyOrder(0, 1, 2, 3, 4);
  }

  private static Set<Integer> drawn(SamplingOptions options) {
    Set<Integer> ids = new HashSet<>();
    for (int position = 0; position < 2000; position++) {
      ids.add(Sampler.of(options, NO_PROMPT).next(LOGITS, HeadSummary.of(LOGITS), position));
    }
    return ids;
  }

  private static List<JsonNode> vectors() throws IOException {
    List<JsonNode> cases = new ArrayList<>();
    try (InputStream vectors = SamplerTest.class.getResourceAsStream("/sampling/vectors.json")) {
      new ObjectMapper().readTree(vectors).forEach(cases::add);
    }
    return cases;
  }

  @Test
  void shouldChooseThePublishedTokensWhenGivenThePublishedVectors() throws IOException {
    assertThat(vectors()).hasSize(120).allSatisfy(SamplerTest::checkVector);
  }

  private static void checkVector(JsonNode vector) {
    SamplingOptions options =
        new SamplingOptions(
            (float) vector.path("temperature").asDouble(),
            (float) vector.path("topP").asDouble(),
            vector.path("topK").asInt(),
            (float) vector.path("minP").asDouble(),
            (float) vector.path("repetitionPenalty").asDouble(),
            Long.parseLong(vector.path("seed").asText()));
    int position = vector.path("position").asInt();
    assertThat(Philox.uniform(options.seed(), position)).isEqualTo(vector.path("u").floatValue());
    float[] logits = new float[vector.path("logits").size()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = vector.path("logits").path(i).floatValue();
    }
    int[] before =
        StreamSupport.stream(vector.path("before").spliterator(), false)
            .mapToInt(JsonNode::intValue)
            .toArray();
    Sampler sampler = Sampler.of(options, before);
    HeadSummary summary = HeadSummary.of(logits);
    float[] given = sampler.needs() == Logits.SUMMARY ? new float[0] : logits;
    int token = vector.path("token").asInt();
    assertThat(sampler.next(given, summary, position)).isEqualTo(token);
    assertThat(sampler.logProbability())
        .isCloseTo(logits[token] - summary.logSumExp(), within(1e-6f));
  }

  @Test
  void shouldNameTheFieldWhenAnOptionIsOutOfRange() {
    assertThatThrownBy(() -> new SamplingOptions(1, 0, 0, 0, 1, 0)).hasMessageContaining("topP");
    assertThatThrownBy(() -> new SamplingOptions(-1, 1, 0, 0, 1, 0))
        .hasMessageContaining("temperature");
    assertThatThrownBy(() -> new SamplingOptions(1, 1, 0, 1, 1, 0)).hasMessageContaining("minP");
  }
}
