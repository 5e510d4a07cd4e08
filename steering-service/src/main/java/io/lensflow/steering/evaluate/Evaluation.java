package io.lensflow.steering.evaluate;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.lensflow.steering.items.SkippedLine;
import java.util.List;

/**
 * All that an evaluation found: the result of its job, as JSON, and what a report shows. Immutable.
 *
 * <p>N items, M multipliers. A propensity is logit(matching answer's token) − logit(other's token).
 *
 * @param model served name of the model
 * @param revision its revision
 * @param vector NAME@VERSION; for a sweep the vector that was built at the best site
 * @param method how the vector was built, as its manifest says
 * @param dataset name of the data set
 * @param datasetHash its SHA-256, hex
 * @param promptFormat {@code chat} or {@code plain}
 * @param hook hook point that the vector acts at; null if it acts at several sites
 * @param layer layer that it acts at; null if it acts at several sites
 * @param sites all of them
 * @param positions which rows were steered
 * @param train item numbers that controls were built from, or that a sweep was; empty if none
 * @param validation item numbers that a sweep was judged by; empty if there was none
 * @param test item numbers that all figures here are about, in the order of {@code propensity}
 * @param repeated test items that ask the same as a train or validation item
 * @param multipliers [M]
 * @param balance how the training items were balanced; null if not known
 * @param labelShareOfPlainMean |cos(plain mean, label direction)| over the training items; null
 *     without them
 * @param labelShare |cos(v, label direction)|; null if not known
 * @param plainNorm norm of the plain mean difference; null without training items
 * @param vectorNorm norm of the vector, over all its sites together
 * @param skippedForBalance training items without an item of the reverse order; null without them
 * @param propensity [N, M]
 * @param slopes [N]
 * @param meanSlope their mean, which is the slope of the mean curve
 * @param stdSlope their population standard deviation
 * @param antiSteerableFraction share of them under 0
 * @param meanSlopeInterval bootstrap interval of the mean slope
 * @param meanCurve [M]
 * @param stdCurve [M] population standard deviation over items
 * @param r2 of a line through the mean curve; null where that is constant
 * @param spearman of the mean curve; null where that is constant
 * @param byLabel slopes by the order of the answers' tokens
 * @param items the test items themselves: question, answers, slope
 * @param skippedCount lines of any part that could not be used
 * @param skipped the first of them
 * @param moreThanTwoChoices items of any part that list more than two choices
 * @param warnings what a reader should know, such as why a control is missing
 * @param controls what other vectors of equal norm do
 * @param sideEffects what steering does to a neutral text; null if not asked for
 * @param generations open-ended texts side by side; empty if not asked for
 * @param sweep how the site was chosen; null if it was given
 * @param requests requests that it took
 * @param seed of everything random
 * @param seconds how long it took
 * @param createdAt when it ended, ISO 8601
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Evaluation(
    String model,
    String revision,
    String vector,
    String method,
    String dataset,
    String datasetHash,
    String promptFormat,
    String hook,
    Integer layer,
    List<Site> sites,
    String positions,
    List<Integer> train,
    List<Integer> validation,
    List<Integer> test,
    int repeated,
    List<Double> multipliers,
    String balance,
    Double labelShareOfPlainMean,
    Double labelShare,
    Double plainNorm,
    double vectorNorm,
    Integer skippedForBalance,
    List<double[]> propensity,
    List<Double> slopes,
    double meanSlope,
    double stdSlope,
    double antiSteerableFraction,
    Interval meanSlopeInterval,
    List<Double> meanCurve,
    List<Double> stdCurve,
    Double r2,
    Double spearman,
    List<ByLabel> byLabel,
    List<Item> items,
    int skippedCount,
    List<SkippedLine> skipped,
    int moreThanTwoChoices,
    List<String> warnings,
    List<Control> controls,
    SideEffects sideEffects,
    List<Generation> generations,
    Sweep sweep,
    long requests,
    long seed,
    double seconds,
    String createdAt) {
  /** A service of an earlier version tells of no warnings, and does not count what was skipped. */
  public Evaluation {
    warnings = warnings == null ? List.of() : List.copyOf(warnings);
    skippedCount = Math.max(skippedCount, skipped.size());
  }

  /** Kind of a control: a Gaussian direction. */
  public static final String RANDOM = "RANDOM";

  /**
   * Kind of a control: built like the vector, but half of the training items of each order of
   * labels, drawn at random, have their two answers exchanged.
   */
  public static final String SHUFFLED_LABELS = "SHUFFLED_LABELS";

  /** A place that the vector acts at. */
  public record Site(String hook, int layer, double norm) {}

  /**
   * Slopes of the items whose answers begin with these tokens: a vector that only says "A" lifts
   * one order and lowers the other.
   *
   * @param matching text of the matching answer's token
   * @param other text of the other's
   * @param slopes what they come to
   */
  public record ByLabel(String matching, String other, Slopes slopes) {}

  /**
   * A test item in full.
   *
   * @param number its number in the data set
   * @param line its line in the file, from 1
   */
  public record Item(
      int number, int line, String question, String matching, String other, double slope) {}

  /**
   * What another vector of equal norm does on the same items.
   *
   * @param kind {@link #RANDOM} or {@link #SHUFFLED_LABELS}
   * @param norm its norm: the vector's, site by site
   * @param builtNorm norm that it had before it was scaled to that; null for {@code RANDOM}
   * @param cosine with the vector, over all sites
   * @param meanSlopeInterval bootstrap interval of the mean slope
   * @param meanCurve [M]
   * @param stdCurve [M]
   */
  public record Control(
      String kind,
      double norm,
      Double builtNorm,
      double cosine,
      Slopes slopes,
      Interval meanSlopeInterval,
      List<Double> meanCurve,
      List<Double> stdCurve) {}

  /**
   * How far steering moves the model's predictions on a text that has nothing to do with the
   * behaviour: read as it stands, whatever the steered model would have written.
   *
   * @param tokens tokens of the text
   * @param rows rows averaged over: all but the first, an attention sink
   * @param positions which rows were steered
   * @param namedTokens how many token ids were compared one by one; the rest of the vocabulary is
   *     compared as one
   * @param coveredProbability mean probability that the unsteered model gives to the named tokens
   * @param exact whether the named tokens are the whole vocabulary; otherwise KL is at least what
   *     is said
   * @param points one per multiplier
   */
  public record SideEffects(
      int tokens,
      int rows,
      String positions,
      int namedTokens,
      double coveredProbability,
      boolean exact,
      List<KlPoint> points) {}

  /**
   * Mean KL(unsteered ‖ steered) in nats at one multiplier.
   *
   * @param kl mean over rows
   * @param max largest of any row
   */
  public record KlPoint(double multiplier, double kl, double max) {}

  /** One prompt, continued greedily at several multipliers. */
  public record Generation(String prompt, List<Continuation> continuations) {}

  /** What the model wrote at a multiplier. */
  public record Continuation(double multiplier, String text) {}

  /**
   * Every site that was tried, judged by the validation items.
   *
   * @param cells all of them
   * @param best the one with the largest mean slope, which the test items then judged
   */
  public record Sweep(List<Cell> cells, Cell best) {}

  /**
   * A vector built at one site from the training items.
   *
   * @param slopes what the validation items' slopes come to
   */
  public record Cell(String hook, int layer, double norm, Double labelShare, Slopes slopes) {}
}
