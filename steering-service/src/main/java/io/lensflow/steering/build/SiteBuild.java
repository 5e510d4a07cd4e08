package io.lensflow.steering.build;

import io.lensflow.steering.algebra.Doubles;
import io.lensflow.steering.items.ItemPair;
import io.lensflow.steering.vector.RefusedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * One site's vector in the making: takes the rows of items, then makes a vector of them. Rows are
 * single precision, everything else double. Not thread-safe.
 *
 * <p>With d = h₊ − h₋, and v₀ the balanced mean of d (each order of labels weighs the same):
 *
 * <ul>
 *   <li>MEAN_DIFFERENCE: v₀, or the plain mean;
 *   <li>PCA: the first right singular vector of all d − (mean of d's order) + v₀, uncentred, with
 *       the sign of its product with v₀;
 *   <li>LOGISTIC: the weights of a logistic regression (C = 1, intercept) of h₊ against h₋, all
 *       features divided by their common standard deviation.
 * </ul>
 *
 * The last two are scaled to ‖v₀‖, so that multipliers compare.
 */
public final class SiteBuild {
  private static final double C = 1;

  /** Of the differences' size; less than this is left where single precision cancels out. */
  private static final double ROUNDING = 1e-6;

  private record Rows(LabelOrder order, float[] matching, float[] other) {}

  private final Site site;
  private final BuildMethod method;
  private final Balance balance;
  private final OrderMeans means;

  /** Rows by item; only what the method needs again. */
  private final TreeMap<Integer, Rows> kept = new TreeMap<>();

  /**
   * @param hiddenSize D
   */
  public SiteBuild(Site site, BuildMethod method, Balance balance, int hiddenSize) {
    this.site = site;
    this.method = method;
    this.balance = balance;
    this.means = new OrderMeans(hiddenSize);
  }

  /**
   * Bytes that the vector of one site takes while it is made: a sum for every order of labels, the
   * vector and its rounding, and all rows where the method needs them again.
   *
   * @param hiddenSize D
   */
  public static long heldBytes(BuildMethod method, List<ItemPair> pairs, int hiddenSize) {
    long orders = pairs.stream().map(LabelOrder::of).distinct().count();
    long rows = method == BuildMethod.MEAN_DIFFERENCE ? 0 : 2L * pairs.size();
    return hiddenSize * ((orders + 2) * Double.BYTES + rows * Float.BYTES);
  }

  /**
   * Takes an item.
   *
   * @param index tells items apart, and puts them in order
   * @param matching h₊ [D]
   * @param other h₋ [D]
   */
  public void add(int index, LabelOrder order, float[] matching, float[] other) {
    means.add(order, matching, other);
    if (method != BuildMethod.MEAN_DIFFERENCE) {
      kept.put(index, new Rows(order, matching, other));
    }
  }

  /** Whether items of an order count: with a balance, only where the reverse order is there. */
  public boolean uses(LabelOrder order) {
    return balance == Balance.NONE || means.hasReverse(order);
  }

  /**
   * The vector of all items taken; empty if it is zero: the answers' rows differ by what their
   * letters make, or not at all, as they must before the first attention.
   *
   * @throws RefusedException if no item is left, or the vector is not finite
   */
  public Optional<BuiltSite> build() {
    double[] mean = balance == Balance.NONE ? means.plain() : means.balanced();
    if (mean == null) {
      throw RefusedException.invalid("data", "no item of the reverse order is left");
    }
    requireFinite(mean);
    if (isZero(mean)) {
      return Optional.empty();
    }
    double[] vector =
        switch (method) {
          case MEAN_DIFFERENCE -> mean;
          case PCA -> toLengthOf(mean, principal(mean));
          case LOGISTIC -> toLengthOf(mean, separating());
        };
    requireFinite(vector);
    return Optional.of(new BuiltSite(site, vector, labelShare(vector)));
  }

  /** The plain mean of all items taken, whatever the method and the balance; empty if zero. */
  public Optional<BuiltSite> plainMean() {
    double[] mean = means.plain();
    requireFinite(mean);
    return isZero(mean)
        ? Optional.empty()
        : Optional.of(new BuiltSite(site, mean, labelShare(mean)));
  }

  private boolean isZero(double[] mean) {
    return Doubles.norm(mean) <= ROUNDING * means.largestNorm();
  }

  private double[] principal(double[] mean) {
    List<double[]> differences = new ArrayList<>();
    for (Rows rows : used()) {
      double[] d = mean.clone();
      Doubles.addTo(d, -1, means.mean(rows.order()));
      for (int i = 0; i < d.length; i++) {
        d[i] += (double) rows.matching()[i] - rows.other()[i];
      }
      differences.add(d);
    }
    double[] direction = PrincipalDirection.of(differences);
    return Doubles.dot(direction, mean) < 0 ? Doubles.scaled(direction, -1) : direction;
  }

  private double[] separating() {
    List<Rows> used = used();
    double[][] features = new double[2 * used.size()][];
    boolean[] positive = new boolean[features.length];
    for (int i = 0; i < used.size(); i++) {
      features[2 * i] = Doubles.of(used.get(i).matching());
      positive[2 * i] = true;
      features[2 * i + 1] = Doubles.of(used.get(i).other());
    }
    double scale = commonDeviation(features);
    for (int i = 0; i < features.length; i++) {
      features[i] = Doubles.scaled(features[i], 1 / scale);
    }
    double[] weights = new LogisticRegression(features, positive, C).fit();
    return Arrays.copyOf(weights, weights.length - 1);
  }

  /** The root mean square of all features' deviations from their own means. */
  static double commonDeviation(double[][] features) {
    int width = features[0].length;
    double squares = 0;
    for (int i = 0; i < width; i++) {
      double sum = 0;
      for (double[] row : features) {
        sum += row[i];
      }
      double mean = sum / features.length;
      for (double[] row : features) {
        squares += (row[i] - mean) * (row[i] - mean);
      }
    }
    return Math.sqrt(squares / ((double) width * features.length));
  }

  private List<Rows> used() {
    return kept.values().stream().filter(rows -> uses(rows.order())).toList();
  }

  private Double labelShare(double[] vector) {
    Double largest = null;
    for (double[] direction : means.labelDirections()) {
      double share = Math.abs(Doubles.cosine(vector, direction));
      if (!Double.isNaN(share) && (largest == null || share > largest)) {
        largest = share;
      }
    }
    return largest;
  }

  private static double[] toLengthOf(double[] mean, double[] direction) {
    return Doubles.scaled(direction, Doubles.norm(mean) / Doubles.norm(direction));
  }

  private void requireFinite(double[] vector) {
    if (!Double.isFinite((float) Doubles.norm(vector))) {
      throw RefusedException.invalid(
          "data", "the vector at %s is not finite: the model's rows are not".formatted(site));
    }
  }
}
