package io.lensflow.steering.evaluate;

import io.lensflow.records.SteeringRequest;
import io.lensflow.steering.evaluate.Evaluation.Continuation;
import io.lensflow.steering.evaluate.Evaluation.Generation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Greedy texts of the same prompts at several multipliers, steered from the answer on. */
final class GenerationRun {
  private static final String STEERED = "from_label";

  private final List<String> prompts;
  private final List<int[]> tokenIds;
  private final List<Double> multipliers;
  private final int maxNewTokens;

  /**
   * @param prompts what people see
   * @param tokenIds the same as the model reads it
   */
  GenerationRun(
      List<String> prompts, List<int[]> tokenIds, List<Double> multipliers, int maxNewTokens) {
    this.prompts = prompts;
    this.tokenIds = tokenIds;
    this.multipliers = multipliers;
    this.maxNewTokens = maxNewTokens;
  }

  /** How many requests it takes. */
  int count() {
    return prompts.size() * multipliers.size();
  }

  List<Generation> measure(Measuring measuring, SteeredBy vector) {
    String[] texts = new String[count()];
    measuring.run(
        "generate",
        texts.length,
        0,
        index -> {
          double multiplier = multipliers.get(index % multipliers.size());
          List<SteeringRequest> steering = List.of(vector.at(multiplier, STEERED));
          int[] prompt = tokenIds.get(index / multipliers.size());
          return Probes.continuation(prompt, maxNewTokens, steering);
        },
        (index, answer) -> texts[index] = answer.terminal().getFinished().getText());
    List<Generation> generations = new ArrayList<>();
    for (int prompt = 0; prompt < prompts.size(); prompt++) {
      int first = prompt * multipliers.size();
      generations.add(
          new Generation(
              prompts.get(prompt),
              IntStream.range(0, multipliers.size())
                  .mapToObj(m -> new Continuation(multipliers.get(m), texts[first + m]))
                  .toList()));
    }
    return generations;
  }
}
