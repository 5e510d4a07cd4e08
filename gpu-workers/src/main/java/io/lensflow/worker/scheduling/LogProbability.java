package io.lensflow.worker.scheduling;

/** Log-probabilities under the model's raw softmax. Stateless. */
final class LogProbability {
  private LogProbability() {}

  /**
   * Natural log-probability of a token.
   *
   * @param logits [V]
   * @param id 0 … V−1
   */
  static float of(float[] logits, int id) {
    float max = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return (float) (logits[id] - max - Math.log(sum));
  }
}
