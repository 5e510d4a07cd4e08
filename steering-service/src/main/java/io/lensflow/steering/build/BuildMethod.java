package io.lensflow.steering.build;

/** How a vector is made of rows at the answers; {@code VectorBuild} says each one's formula. */
public enum BuildMethod {
  /** The mean of the differences. */
  MEAN_DIFFERENCE,
  /** The direction in which the differences are longest. */
  PCA,
  /** The direction by which a logistic regression tells the answers apart. */
  LOGISTIC
}
