package io.lensflow.steering.build;

import io.lensflow.client.ServedModel;
import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringOperation;
import io.lensflow.steering.items.DataSet;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.items.ItemPairs;
import io.lensflow.steering.items.ItemRenderer;
import io.lensflow.steering.items.PromptFormat;
import io.lensflow.steering.items.SkippedLine;
import io.lensflow.steering.vector.VectorId;
import java.util.ArrayList;
import java.util.List;

/**
 * A build that was checked. Immutable.
 *
 * @param vector the vector's name and model
 * @param model the model as its live workers describe it
 * @param data the data set
 * @param items which of its items, as a range
 * @param chosen these items, tokenised, and those that cannot be used
 * @param pairs what rows are asked for: those of {@code chosen} that the method can use
 * @param skipped lines that are not used, in the order they were found
 * @param hookPoints where in the block
 * @param layers layers, ascending
 * @param method how
 * @param balance what becomes of the letters' own part
 * @param format how items become text
 * @param publication what becomes of the result
 */
record BuildPlan(
    VectorId vector,
    ServedModel model,
    DataSet data,
    String items,
    ItemPairs chosen,
    List<ItemPair> pairs,
    List<SkippedLine> skipped,
    List<HookPoint> hookPoints,
    List<Integer> layers,
    BuildMethod method,
    Balance balance,
    PromptFormat format,
    Publication publication) {

  /**
   * How the version is published.
   *
   * @param publish whether it is
   * @param operation default operation
   * @param positions default positions
   * @param preserveNorm default of preserveNorm
   * @param author who made it; null for who asked
   * @param description what it is for; null for what it was made of
   * @param expectedVersion version that must be the latest; null for any
   */
  record Publication(
      boolean publish,
      SteeringOperation operation,
      String positions,
      boolean preserveNorm,
      String author,
      String description,
      Integer expectedVersion) {}

  BuildPlan {
    pairs = List.copyOf(pairs);
    skipped = List.copyOf(skipped);
    hookPoints = List.copyOf(hookPoints);
    layers = List.copyOf(layers);
  }

  /** Every place that a vector is made for, hook point by hook point. */
  List<Site> sites() {
    List<Site> sites = new ArrayList<>();
    for (HookPoint hookPoint : hookPoints) {
      layers.forEach(layer -> sites.add(new Site(hookPoint, layer)));
    }
    return sites;
  }

  /** Bytes that the rows of one request have: one position, float32. */
  long rowBytes() {
    return (long) Float.BYTES * model.hiddenSize() * hookPoints.size() * layers.size();
  }

  /** Tokens that are read in all. */
  long tokens() {
    return pairs.stream().mapToLong(pair -> 2L * (pair.answerPosition() + 1)).sum();
  }

  /** What the vector is made of, in words: what its record has no field for. */
  String description() {
    String made = "items %s of %s, %s".formatted(items, data.name(), format.label());
    if (format == PromptFormat.CHAT) {
      made += " (%s, date %s)".formatted(ItemRenderer.VARIABLES, ItemRenderer.DATE);
    }
    return method == BuildMethod.MEAN_DIFFERENCE ? made + ", balance " + balance : made;
  }
}
