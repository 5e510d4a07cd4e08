package io.lensflow.steering.build;

import io.lensflow.steering.algebra.Doubles;

/**
 * L2-regularised logistic regression with an intercept that is not penalised: the w and b that
 * minimise ½‖w‖² + C · Σ log(1 + exp(−y (w·x + b))), as scikit-learn and liblinear define it.
 *
 * <p>Newton's method; each step solves its system by conjugate gradients, which need the features
 * only to multiply with, so that nothing of D × D is ever there, and is shortened until the loss
 * falls. The problem is convex: whatever has no gradient is the solution. Used once, by one thread.
 */
final class LogisticRegression {
  private static final int MAX_STEPS = 100;
  private static final double GRADIENT_SHARE = 1e-10;
  private static final double SOLVE_SHARE = 1e-4;
  private static final double SUFFICIENT_DECREASE = 1e-4;
  private static final int MAX_HALVINGS = 40;

  private final double[][] features;
  private final boolean[] positive;
  private final double c;
  private final int width;

  /**
   * @param features x [n][D]
   * @param positive [n], whether y is 1 and not −1
   * @param c C, the weight of the losses against the penalty
   */
  LogisticRegression(double[][] features, boolean[] positive, double c) {
    this.features = features;
    this.positive = positive;
    this.c = c;
    this.width = features[0].length;
  }

  /** The weights: w [D], and b at their end. */
  double[] fit() {
    double[] weights = new double[width + 1];
    double[] gradient = gradient(weights);
    double enough = GRADIENT_SHARE * Math.max(1, Doubles.norm(gradient));
    for (int step = 0; step < MAX_STEPS && Doubles.norm(gradient) > enough; step++) {
      double[] direction = newtonDirection(weights, gradient);
      double[] next = descend(weights, gradient, direction);
      double[] nextGradient = gradient(next);
      if (next == weights) {
        // So near that the loss cannot tell any more; the gradient still can.
        next = weights.clone();
        Doubles.addTo(next, 1, direction);
        nextGradient = gradient(next);
        if (!(Doubles.norm(nextGradient) < Doubles.norm(gradient) / 2)) {
          break;
        }
      }
      weights = next;
      gradient = nextGradient;
    }
    return weights;
  }

  /** The gradient of what is minimised at {@code weights} [D + 1]. */
  double[] gradient(double[] weights) {
    double[] gradient = weights.clone();
    gradient[width] = 0;
    for (int n = 0; n < features.length; n++) {
      double residual = sigmoid(score(weights, n)) - (positive[n] ? 1 : 0);
      addRow(gradient, c * residual, n);
    }
    return gradient;
  }

  private double loss(double[] weights) {
    double loss = 0;
    for (int i = 0; i < width; i++) {
      loss += 0.5 * weights[i] * weights[i];
    }
    for (int n = 0; n < features.length; n++) {
      double margin = positive[n] ? score(weights, n) : -score(weights, n);
      // log(1 + exp(-margin)) without overflow
      loss += c * (Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin))));
    }
    return loss;
  }

  /** Solves H · direction = −gradient to a part of its length, by conjugate gradients. */
  private double[] newtonDirection(double[] weights, double[] gradient) {
    double[] curvature = new double[features.length];
    for (int n = 0; n < features.length; n++) {
      double p = sigmoid(score(weights, n));
      curvature[n] = c * p * (1 - p);
    }
    double[] direction = new double[width + 1];
    double[] residual = Doubles.scaled(gradient, -1);
    double[] search = residual.clone();
    double squared = Doubles.dot(residual, residual);
    double enough = SOLVE_SHARE * SOLVE_SHARE * squared * Math.min(1, squared);
    for (int i = 0; i < 2 * (width + 1) && squared > enough; i++) {
      double[] product = hessianTimes(curvature, search);
      double bend = Doubles.dot(search, product);
      if (!(bend > 0)) {
        break; // flat along the intercept alone, where all items are told apart
      }
      double length = squared / bend;
      Doubles.addTo(direction, length, search);
      Doubles.addTo(residual, -length, product);
      double next = Doubles.dot(residual, residual);
      double[] conjugate = residual.clone();
      Doubles.addTo(conjugate, next / squared, search);
      search = conjugate;
      squared = next;
    }
    return direction;
  }

  private double[] hessianTimes(double[] curvature, double[] vector) {
    double[] product = vector.clone();
    product[width] = 0;
    for (int n = 0; n < features.length; n++) {
      addRow(product, curvature[n] * score(vector, n), n);
    }
    return product;
  }

  /** The first of full, half, quarter … steps at which the loss falls; {@code weights} if none. */
  private double[] descend(double[] weights, double[] gradient, double[] direction) {
    double slope = Doubles.dot(gradient, direction);
    double before = loss(weights);
    double length = 1;
    for (int i = 0; i < MAX_HALVINGS; i++, length /= 2) {
      double[] next = weights.clone();
      Doubles.addTo(next, length, direction);
      if (loss(next) < before + SUFFICIENT_DECREASE * length * slope) {
        return next;
      }
    }
    return weights;
  }

  private double score(double[] weights, int n) {
    double[] x = features[n];
    double sum = weights[width];
    for (int i = 0; i < width; i++) {
      sum += weights[i] * x[i];
    }
    return sum;
  }

  private void addRow(double[] sum, double factor, int n) {
    double[] x = features[n];
    for (int i = 0; i < width; i++) {
      sum[i] += factor * x[i];
    }
    sum[width] += factor;
  }

  private static double sigmoid(double t) {
    return 1 / (1 + Math.exp(-t));
  }
}
