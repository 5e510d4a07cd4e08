package io.lensflow.steering.evaluate;

import io.lensflow.client.ServedModel;
import io.lensflow.records.SteeringOperation;
import io.lensflow.records.VectorManifest;
import io.lensflow.steering.build.Balance;
import io.lensflow.steering.build.BuildMethod;
import io.lensflow.steering.build.Site;
import io.lensflow.steering.items.DataSet;
import io.lensflow.steering.items.ItemPairs;
import io.lensflow.steering.items.PromptFormat;
import io.lensflow.steering.items.SkippedLine;
import io.lensflow.steering.vector.StoredVersion;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.text.Tokenizer;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * An evaluation that was checked. Immutable by agreement.
 *
 * @param vector name and model
 * @param model the model as its live workers describe it
 * @param version the version to judge; null for a sweep
 * @param builtFrom what it was built from; null if its manifest does not say, and for a sweep
 * @param site the only one of its sites to judge; null for all of them, and for a sweep
 * @param sweep every site to try; empty if the vector is given
 * @param publish whether a sweep's best vector becomes a version
 * @param data the data set
 * @param format how items become text
 * @param tokenizer the model's
 * @param parts which items do what
 * @param multipliers different ones, ascending
 * @param positions which rows are steered
 * @param controls whether vectors of equal norm are measured beside it
 * @param method how a sweep and the control of shuffled labels are built
 * @param balance the same
 * @param neutral token ids of the text for side effects; null for none
 * @param prompts what is continued side by side
 * @param seed of everything random
 */
record EvaluatePlan(
    VectorId vector,
    ServedModel model,
    StoredVersion version,
    BuiltFrom builtFrom,
    Site site,
    List<Site> sweep,
    boolean publish,
    DataSet data,
    PromptFormat format,
    Tokenizer tokenizer,
    Parts parts,
    List<Double> multipliers,
    String positions,
    boolean controls,
    BuildMethod method,
    Balance balance,
    int[] neutral,
    Prompts prompts,
    long seed) {

  /**
   * The items.
   *
   * @param test what all figures are about
   * @param train what controls and a sweep are built from; null if none was named
   * @param validation what a sweep's site is chosen by; null without a sweep
   * @param repeated test items that ask the same as a train or validation item
   * @param skipped lines of any part that cannot be used, in the order of the file; of a split also
   *     those that no part has because they cannot be read
   */
  record Parts(
      ItemPairs test,
      ItemPairs train,
      ItemPairs validation,
      int repeated,
      List<SkippedLine> skipped) {

    /** How many usable items of any part list more than two choices. */
    int moreThanTwoChoices() {
      return Stream.of(test, train, validation)
          .filter(Objects::nonNull)
          .mapToInt(ItemPairs::moreThanTwoChoices)
          .sum();
    }
  }

  /**
   * What is continued side by side.
   *
   * @param texts what people see
   * @param tokenIds what the model reads
   */
  record Prompts(
      List<String> texts, List<int[]> tokenIds, List<Double> multipliers, int maxNewTokens) {}

  boolean isSweep() {
    return version == null;
  }

  /** Whether the version was built from these data, and nobody knows from which of the items. */
  boolean isOriginUnknown() {
    return !isSweep()
        && builtFrom == null
        && version.manifest().getDatasetHash().equals(data.sha256());
  }

  /** Every site that a vector acts at or is built at, in order. */
  List<Site> sites() {
    if (isSweep()) {
      return sweep;
    }
    return version.sites().stream()
        .map(stored -> new Site(stored.hookPoint(), stored.layer()))
        .filter(one -> site == null || site.equals(one))
        .toList();
  }

  /** What steers: the version's manifest, or one that says what versions are by default. */
  VectorManifest manifest() {
    return isSweep()
        ? VectorManifest.newBuilder()
            .setRevision(model.revision().isEmpty() ? null : model.revision())
            .setHiddenSize(model.hiddenSize())
            .build()
        : version.manifest();
  }

  /** Whether multiplier 0 steers nothing; {@code PROJECT_TO} takes the direction out then. */
  boolean zeroIsNone() {
    return manifest().getOperation() != SteeringOperation.PROJECT_TO;
  }
}
