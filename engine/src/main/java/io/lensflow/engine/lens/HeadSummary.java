package io.lensflow.engine.lens;

import java.util.List;

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

  /**
   * The summary of a whole vocabulary from those of its parts, in rising order of ids. Exact but
   * for the rounding of the sum; a part that holds no id has a logarithm of −∞.
   */
  public static HeadSummary merge(List<HeadSummary> parts) {
    HeadSummary top = parts.get(0);
    for (HeadSummary part : parts) {
      if (part.topLogit > top.topLogit) {
        top = part;
      }
    }
    if (parts.size() == 1) {
      return top;
    }
    double sum = 0;
    for (HeadSummary part : parts) {
      if (part.topLogit != Float.NEGATIVE_INFINITY) {
        sum += Math.exp(part.logSumExp - top.topLogit);
      }
    }
    return new HeadSummary(top.topId, top.topLogit, (float) (top.topLogit + Math.log(sum)));
  }
}
