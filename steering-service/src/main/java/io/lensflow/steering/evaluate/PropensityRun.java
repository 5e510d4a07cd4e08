package io.lensflow.steering.evaluate;

import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.LensRow.Target;
import io.lensflow.records.PromptRequest;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.pipeline.Answer;
import java.util.ArrayList;
import java.util.List;

/**
 * Propensities of items under vectors: the logit of the matching answer's token less that of the
 * other's, at row ℓ−1 of a request that holds the shared prefix 0 … ℓ−1. Each item, vector and
 * multiplier is a request of its own; continuous batching puts them together.
 *
 * <p>Multiplier 0 changes nothing, so that it is asked once for all vectors.
 */
final class PropensityRun {
  private record Case(int vector, int item, int multiplier) {}

  private final List<SteeredBy> vectors;
  private final List<ItemPair> pairs;
  private final List<Double> multipliers;
  private final String positions;
  private final boolean zeroIsNone;
  private final List<Case> cases = new ArrayList<>();

  /** [vectors, items, multipliers]. */
  private final double[][][] propensity;

  /**
   * @param positions which rows are steered
   * @param zeroIsNone whether multiplier 0 steers nothing, as it does for all operations but {@code
   *     PROJECT_TO}
   */
  PropensityRun(
      List<SteeredBy> vectors,
      List<ItemPair> pairs,
      List<Double> multipliers,
      String positions,
      boolean zeroIsNone) {
    this.vectors = vectors;
    this.pairs = pairs;
    this.multipliers = multipliers;
    this.positions = positions;
    this.zeroIsNone = zeroIsNone;
    this.propensity = new double[vectors.size()][pairs.size()][multipliers.size()];
    for (int v = 0; v < vectors.size(); v++) {
      for (int i = 0; i < pairs.size(); i++) {
        for (int m = 0; m < multipliers.size(); m++) {
          if (v == 0 || !(zeroIsNone && multipliers.get(m) == 0)) {
            cases.add(new Case(v, i, m));
          }
        }
      }
    }
  }

  /** How many requests it takes. */
  int count() {
    return cases.size();
  }

  /**
   * Measures.
   *
   * @return [vectors, items, multipliers]
   */
  double[][][] measure(Measuring measuring, String series) {
    measuring.run(
        series,
        cases.size(),
        1,
        this::request,
        (index, answer) -> {
          Case one = cases.get(index);
          propensity[one.vector()][one.item()][one.multiplier()] =
              propensity(answer, pairs.get(one.item()));
        });
    shareZero();
    return propensity;
  }

  private PromptRequest request(int index) {
    Case one = cases.get(index);
    ItemPair pair = pairs.get(one.item());
    return Probes.logits(
        pair.prefix(),
        "last_prompt",
        List.of(pair.matchingToken(), pair.otherToken()),
        List.of(vectors.get(one.vector()).at(multipliers.get(one.multiplier()), positions)));
  }

  private static double propensity(Answer answer, ItemPair pair) {
    List<LensRow> rows = Measuring.rows(answer);
    if (rows.size() != 1) {
      throw new IllegalStateException(
          "item %d: %d rows came back where one was asked for"
              .formatted(pair.item().number(), rows.size()));
    }
    List<Target> targets = rows.get(0).targets();
    return logit(targets, pair.matchingToken()) - logit(targets, pair.otherToken());
  }

  private static double logit(List<Target> targets, int token) {
    return targets.stream()
        .filter(target -> target.id() == token)
        .mapToDouble(Target::logit)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no logit of token %d came".formatted(token)));
  }

  private void shareZero() {
    int zero = zeroIsNone ? multipliers.indexOf(0.0) : -1;
    for (int v = 1; zero >= 0 && v < vectors.size(); v++) {
      for (int i = 0; i < pairs.size(); i++) {
        propensity[v][i][zero] = propensity[0][i][zero];
      }
    }
  }
}
