package io.lensflow.steering.evaluate;

import io.lensflow.records.SteeringRequest;
import io.lensflow.steering.evaluate.EvaluatePlan.Prompts;
import io.lensflow.steering.evaluate.Evaluation.Continuation;
import io.lensflow.steering.evaluate.Evaluation.Generation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Greedy texts of the same prompts at several multipliers, steered from the answer on. */
final class GenerationRun {
  private static final String STEERED = "from_label";

  private final Prompts prompts;

  GenerationRun(Prompts prompts) {
    this.prompts = prompts;
  }

  List<Generation> measure(Measuring measuring, SteeredBy vector) {
    List<Double> multipliers = prompts.multipliers();
    String[] texts = new String[prompts.texts().size() * multipliers.size()];
    measuring.run(
        "generate",
        texts.length,
        0,
        index -> {
          double multiplier = multipliers.get(index % multipliers.size());
          List<SteeringRequest> steering = List.of(vector.at(multiplier, STEERED));
          int[] prompt = prompts.tokenIds().get(index / multipliers.size());
          return Probes.continuation(prompt, prompts.maxNewTokens(), steering);
        },
        (index, answer) -> texts[index] = answer.terminal().getFinished().getText());
    List<Generation> generations = new ArrayList<>();
    for (int prompt = 0; prompt < prompts.texts().size(); prompt++) {
      int first = prompt * multipliers.size();
      generations.add(
          new Generation(
              prompts.texts().get(prompt),
              IntStream.range(0, multipliers.size())
                  .mapToObj(m -> new Continuation(multipliers.get(m), texts[first + m]))
                  .toList()));
    }
    return generations;
  }
}
