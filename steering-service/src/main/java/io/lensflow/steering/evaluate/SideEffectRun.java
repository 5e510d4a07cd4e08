package io.lensflow.steering.evaluate;

import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.LensRow.Candidate;
import io.lensflow.records.SteeringRequest;
import io.lensflow.schemas.lens.ServedLenses;
import io.lensflow.steering.evaluate.Evaluation.KlPoint;
import io.lensflow.steering.evaluate.Evaluation.SideEffects;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How far steering moves the model on a neutral text: mean KL(unsteered ‖ steered) over the text's
 * rows, each reading the text's own tokens.
 *
 * <p>Distributions come as log-probabilities of named tokens. A vocabulary of at most {@value
 * #WHOLE} is named in full. Of a larger one, the tokens are named that the unsteered model gives
 * the most probability over all rows; the others count as one. Merging outcomes never enlarges a
 * divergence (data processing inequality), so that this is a lower bound; what it misses is the
 * others' probability times the divergence among themselves.
 */
final class SideEffectRun {
  /** Vocabularies up to here are compared token by token. */
  static final int WHOLE = 4 * ServedLenses.MAX_TARGETS;

  /** How many tokens of each row are looked at to find those that matter. */
  private static final int CANDIDATES = 128;

  /** All but the first, an attention sink. */
  private static final String ROWS = "1-";

  private static final String STEERED = "all";

  private final Measuring measuring;
  private final int[] text;
  private final SteeredBy vector;
  private final List<Double> multipliers;

  /**
   * @param text token ids of the neutral text, at least 2
   */
  SideEffectRun(Measuring measuring, int[] text, SteeredBy vector, List<Double> multipliers) {
    this.measuring = measuring;
    this.text = text;
    this.vector = vector;
    this.multipliers = multipliers;
  }

  /** How many requests it takes. */
  static long count(int vocabularySize, int multipliers) {
    int slices = slices(Math.min(vocabularySize, named(vocabularySize)));
    return (long) slices * (1 + multipliers) + (vocabularySize <= WHOLE ? 0 : 1);
  }

  private static int named(int vocabularySize) {
    return vocabularySize <= WHOLE ? vocabularySize : ServedLenses.MAX_TARGETS;
  }

  private static int slices(int ids) {
    return (ids + ServedLenses.MAX_TARGETS - 1) / ServedLenses.MAX_TARGETS;
  }

  SideEffects measure() {
    int vocabulary = measuring.model().vocabularySize();
    boolean whole = vocabulary <= WHOLE;
    List<Integer> named = whole ? IntStream.range(0, vocabulary).boxed().toList() : mostProbable();
    double[][][] logs = logProbabilities(named);
    List<KlPoint> points = new ArrayList<>();
    for (int m = 0; m < multipliers.size(); m++) {
      double[] divergences = new double[logs[0].length];
      for (int row = 0; row < divergences.length; row++) {
        divergences[row] = Divergence.kl(logs[0][row], logs[m + 1][row], whole);
      }
      double max = Arrays.stream(divergences).max().orElse(0);
      points.add(new KlPoint(multipliers.get(m), Moments.mean(divergences), max));
    }
    double covered = Moments.mean(Arrays.stream(logs[0]).mapToDouble(Divergence::mass).toArray());
    return new SideEffects(
        text.length, text.length - 1, STEERED, named.size(), covered, whole, points);
  }

  /**
   * The tokens that the unsteered model expects most over all rows, at most as many as a request
   * can name.
   */
  private List<Integer> mostProbable() {
    Map<Integer, Double> mass = new HashMap<>();
    measuring.run(
        "neutral-top",
        1,
        text.length,
        index -> Probes.top(text, ROWS, CANDIDATES),
        (index, answer) -> {
          for (LensRow row : Measuring.rows(answer)) {
            for (Candidate candidate : row.top()) {
              mass.merge(candidate.id(), (double) candidate.probability(), Double::sum);
            }
          }
        });
    return mass.entrySet().stream()
        .sorted(
            Comparator.comparingDouble((Map.Entry<Integer, Double> e) -> -e.getValue())
                .thenComparing(Map.Entry::getKey))
        .limit(ServedLenses.MAX_TARGETS)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** [1 + multipliers, rows, named]: first those of the unsteered model. */
  private double[][][] logProbabilities(List<Integer> named) {
    int slices = slices(named.size());
    double[][][] logs = new double[1 + multipliers.size()][text.length - 1][named.size()];
    measuring.run(
        "neutral",
        slices * logs.length,
        text.length,
        index -> Probes.logits(text, ROWS, slice(named, index % slices), steering(index / slices)),
        (index, answer) -> {
          List<LensRow> rows = Measuring.rows(answer);
          if (rows.size() != text.length - 1) {
            throw new IllegalStateException(
                "%d rows of the neutral text came back where %d were asked for"
                    .formatted(rows.size(), text.length - 1));
          }
          int from = index % slices * ServedLenses.MAX_TARGETS;
          List<Integer> ids = slice(named, index % slices);
          for (int row = 0; row < rows.size(); row++) {
            store(rows.get(row), ids, logs[index / slices][row], from);
          }
        });
    return logs;
  }

  private static List<Integer> slice(List<Integer> named, int slice) {
    int from = slice * ServedLenses.MAX_TARGETS;
    return named.subList(from, Math.min(named.size(), from + ServedLenses.MAX_TARGETS));
  }

  /** The multiplier before the first is none. */
  private List<SteeringRequest> steering(int place) {
    return place == 0 ? List.of() : List.of(vector.at(multipliers.get(place - 1), STEERED));
  }

  private static void store(LensRow row, List<Integer> ids, double[] logs, int from) {
    Map<Integer, Double> found = new HashMap<>();
    row.targets().forEach(target -> found.put(target.id(), (double) target.logProbability()));
    for (int i = 0; i < ids.size(); i++) {
      logs[from + i] = found.get(ids.get(i));
    }
  }
}
