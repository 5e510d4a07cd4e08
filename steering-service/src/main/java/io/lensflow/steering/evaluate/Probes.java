package io.lensflow.steering.evaluate;

import io.lensflow.records.Capture;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.lens.ServedLenses;
import java.util.List;
import java.util.stream.IntStream;

/** Requests that ask the model what it would say. Stateless. */
final class Probes {
  /**
   * A lens at the last layer's end is the model itself, so that its targets are the model's logits.
   */
  private static final String LAST_LAYER = "-1";

  private Probes() {}

  /**
   * Reads a prompt and asks for the logits of some tokens.
   *
   * @param tokenIds the prompt, as it stands
   * @param positions whose rows are asked
   * @param targets ids asked for
   */
  static PromptRequest logits(
      int[] tokenIds, String positions, List<Integer> targets, List<SteeringRequest> steering) {
    return asking(tokenIds, positions, lens(LensMetric.TARGETS, 1, targets), steering);
  }

  /** Reads a prompt and asks for the k most probable tokens. */
  static PromptRequest top(int[] tokenIds, String positions, int k) {
    return asking(tokenIds, positions, lens(LensMetric.TOP_K, k, List.of()), List.of());
  }

  /** Continues a prompt greedily. */
  static PromptRequest continuation(
      int[] tokenIds, int maxNewTokens, List<SteeringRequest> steering) {
    return reading(tokenIds, steering)
        .setMaxNewTokens(maxNewTokens)
        .setCapture(Capture.newBuilder().setHookPoints(List.of()).build())
        .setLenses(List.of())
        .build();
  }

  private static PromptRequest asking(
      int[] tokenIds, String positions, LensRequest lens, List<SteeringRequest> steering) {
    return reading(tokenIds, steering)
        .setMaxNewTokens(0)
        .setCapture(
            Capture.newBuilder()
                .setHookPoints(List.of(HookPoint.RESIDUAL_POST))
                .setLayers(LAST_LAYER)
                .setPositions(positions)
                .build())
        .setLenses(List.of(lens))
        .build();
  }

  private static PromptRequest.Builder reading(int[] tokenIds, List<SteeringRequest> steering) {
    return PromptRequest.newBuilder()
        .setPrompt(Prompt.newBuilder().setTokenIds(IntStream.of(tokenIds).boxed().toList()).build())
        .setSteering(steering);
  }

  private static LensRequest lens(LensMetric metric, int k, List<Integer> targets) {
    return LensRequest.newBuilder()
        .setName(ServedLenses.LOGIT)
        .setMetrics(List.of(metric))
        .setTopK(k)
        .setTargetIds(targets)
        .setAccuracy(LensAccuracy.EXACT)
        .build();
  }
}
