package io.lensflow.engine.lens.fit;

/**
 * How close a lens comes to the model.
 *
 * @param kl mean of KL(model ‖ lens), nats
 * @param top1 share of rows at which both have the same top token, 0 … 1
 */
public record LensScore(double kl, double top1) {
  /** Sums up rows. Not thread-safe. */
  static final class Sum {
    private double kl;
    private long same;
    private long rows;

    void add(double rowKl, boolean sameTop) {
      kl += rowKl;
      same += sameTop ? 1 : 0;
      rows++;
    }

    long rows() {
      return rows;
    }

    LensScore mean() {
      return new LensScore(kl / rows, (double) same / rows);
    }
  }
}
