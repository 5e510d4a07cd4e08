package io.lensflow.engine.lens;

/**
 * What is kept of one row of the model's own logits.
 *
 * @param topId the id of the greatest logit, the lowest where several are equal
 * @param topLogit that logit
 * @param logSumExp natural logarithm of the sum of exponentials over the vocabulary
 */
public record HeadSummary(int topId, float topLogit, float logSumExp) {
  /** Summarises logits [V]. */
  public static HeadSummary of(float[] logits) {
    int top = 0;
    for (int id = 1; id < logits.length; id++) {
      if (logits[id] > logits[top]) {
        top = id;
      }
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - logits[top]);
    }
    return new HeadSummary(top, logits[top], (float) (logits[top] + Math.log(sum)));
  }
}
