package io.lensflow.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.lens.HeadSummary;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A greedy token is the same whether logits leave the device or only their summary. */
class GreedyPathsTest {
  private static final int NEW_TOKENS = 20;
  private static final float TOLERANCE = 1e-5f;

  @ParameterizedTest
  @CsvSource({
    "llama-tp, 1, FLOAT32",
    "llama-tp, 4, FLOAT32",
    "llama-tp, 2, BFLOAT16",
    "qwen3, 1, BFLOAT16"
  })
  void shouldChooseTheSameTokenWithTheSameProbabilityWhenOnlyASummaryLeavesTheDevice(
      String checkpoint, int ranks, DType dtype) throws IOException {
    try (Engine engine =
        EngineLoader.load(
            GoldenCheckpoints.folder(checkpoint),
            EngineOptions.defaults().withDType(dtype).withRanks(ranks).withKvTokens(64))) {
      int[] ids = new Random(ranks).ints(8, 0, engine.config().vocabularySize()).toArray();
      SequenceOptions options =
          new SequenceOptions(ids.length, ids.length + NEW_TOKENS, CapturePlan.NONE, List.of());
      Sampler sampler = Sampler.of(SamplingOptions.GREEDY, ids);
      try (Sequence summarised = engine.open(options);
          Sequence whole = engine.open(options)) {
        for (int i = 0; i < NEW_TOKENS; i++) {
          List<StepOutput> outputs =
              engine.step(
                  List.of(
                      new StepInput(summarised, ids, Logits.SUMMARY),
                      new StepInput(whole, ids, Logits.LAST)));
          float[] logits = outputs.get(1).logits();
          assertThat(outputs.get(0).logits()).isEmpty();
          int token = sampler.next(new float[0], outputs.get(0).summary(), ids.length + i);
          HeadSummary expected = HeadSummary.of(logits);
          assertThat(token).isEqualTo(expected.topId()).isEqualTo(outputs.get(1).summary().topId());
          assertThat(outputs.get(1).summary().topLogit()).isEqualTo(logits[token]);
          assertThat(sampler.logProbability())
              .isCloseTo(logits[token] - expected.logSumExp(), within(TOLERANCE));
          ids = new int[] {token};
        }
      }
    }
  }
}
