package io.lensflow.engine.lens;

import java.util.Objects;

/**
 * What is computed of every row of a batch; what is not chosen is not computed.
 *
 * @param topK k, tokens reported per row; 0 for none
 * @param entropy entropy in nats
 * @param logSumExp natural logarithm of the sum of exponentials
 * @param targetsPerRow T, tokens per row of which logit, log-probability and rank are asked; 0 for
 *     none
 * @param kl KL(final ‖ lens)
 * @param js Jensen–Shannon divergence of final and lens
 * @param accuracy what was asked for; see {@link #path}
 */
public record LensMetrics(
    int topK,
    boolean entropy,
    boolean logSumExp,
    int targetsPerRow,
    boolean kl,
    boolean js,
    LensAccuracy accuracy) {
  public LensMetrics {
    Objects.requireNonNull(accuracy, "accuracy");
    if (topK < 0 || targetsPerRow < 0) {
      throw new IllegalArgumentException(
          "topK %d and targetsPerRow %d must be at least 0".formatted(topK, targetsPerRow));
    }
  }

  /** Top-k, entropy and logSumExp, in float32. */
  public static LensMetrics summary(int topK) {
    return new LensMetrics(topK, true, true, 0, false, false, LensAccuracy.EXACT);
  }

  /** The same metrics at another accuracy. */
  public LensMetrics withAccuracy(LensAccuracy other) {
    return new LensMetrics(topK, entropy, logSumExp, targetsPerRow, kl, js, other);
  }

  /** Whether Σ exp(z)·z is needed beside Σ exp(z). */
  boolean weighted() {
    return entropy || js;
  }

  /** Whether the model's own rows are needed to compare with: {@link LensBatch#finalRows}. */
  public boolean needsModel() {
    return kl || js;
  }

  /** The path that is taken: KL and JS are exact, whatever was asked for. */
  public LensAccuracy path() {
    return needsModel() ? LensAccuracy.EXACT : accuracy;
  }
}
