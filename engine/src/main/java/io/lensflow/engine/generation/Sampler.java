package io.lensflow.engine.generation;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.lens.HeadSummary;
import java.util.BitSet;

/**
 * Chooses the tokens of one sequence. The choice at a position depends on the logits, the tokens
 * before, the options and the position alone.
 *
 * <p>Order: repetition penalty over prompt and generated tokens, temperature, top-k, top-p, min-p;
 * then the first token, by falling probability and rising id, whose cumulative probability exceeds
 * the generator's draw for the position. Greedy choice takes the lowest id among equal logits.
 *
 * <p>Not thread-safe: one per sequence.
 */
public final class Sampler {
  private final SamplingOptions options;
  private final BitSet seen = new BitSet();
  private float logProbability;

  private Sampler(SamplingOptions options) {
    this.options = options;
  }

  /** A sampler for a sequence that begins with a prompt. */
  public static Sampler of(SamplingOptions options, int[] promptIds) {
    Sampler sampler = new Sampler(options);
    for (int id : promptIds) {
      sampler.seen.set(id);
    }
    return sampler;
  }

  /** What the choice needs: a greedy one without a penalty needs no logits but the greatest. */
  public Logits needs() {
    return options.temperature() == 0 && options.repetitionPenalty() == 1
        ? Logits.SUMMARY
        : Logits.LAST;
  }

  /**
   * Chooses the token at a position and remembers it for the repetition penalty.
   *
   * @param logits [V], the model's own, not changed; may be empty where {@link #needs} says so
   * @param summary of the same logits
   * @param position absolute position of the new token
   */
  public int next(float[] logits, HeadSummary summary, int position) {
    int id = summary.topId();
    float logit = summary.topLogit();
    if (needs() == Logits.LAST) {
      float[] penalised = penalised(logits);
      id = options.temperature() == 0 ? greatest(penalised) : draw(penalised, position);
      logit = logits[id];
    }
    logProbability = logit - summary.logSumExp();
    seen.set(id);
    return id;
  }

  /**
   * Natural log-probability of the token chosen last, under the raw softmax of its logits: no
   * penalty, temperature or mask.
   */
  public float logProbability() {
    return logProbability;
  }

  private float[] penalised(float[] logits) {
    float penalty = options.repetitionPenalty();
    if (penalty == 1) {
      return logits;
    }
    float[] changed = logits.clone();
    for (int id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
      changed[id] = changed[id] > 0 ? changed[id] / penalty : changed[id] * penalty;
    }
    return changed;
  }

  private static int greatest(float[] logits) {
    int best = 0;
    for (int id = 1; id < logits.length; id++) {
      if (logits[id] > logits[best]) {
        best = id;
      }
    }
    return best;
  }

  private int draw(float[] logits, int position) {
    RankedTokens ranked = new RankedTokens(logits);
    float best = logits[ranked.id(0)];
    int kept = options.topK() == 0 ? ranked.size() : Math.min(options.topK(), ranked.size());
    double total = 0;
    for (int i = 0; i < kept; i++) {
      // All of them are added up in any order, so that they need not be ranked.
      total += weight(logits[options.topK() == 0 ? i : ranked.id(i)], best);
    }
    if (options.topP() < 1 || options.minP() > 0) {
      double wanted = options.topP() < 1 ? options.topP() * total : Double.POSITIVE_INFINITY;
      int most = kept;
      total = 1;
      kept = 1;
      while (kept < most && total < wanted) {
        double weight = weight(logits[ranked.id(kept)], best);
        if (weight < options.minP()) {
          break;
        }
        total += weight;
        kept++;
      }
    }
    double threshold = Philox.uniform(options.seed(), position) * total;
    double cumulative = 0;
    for (int i = 0; i < kept; i++) {
      cumulative += weight(logits[ranked.id(i)], best);
      if (cumulative > threshold) {
        return ranked.id(i);
      }
    }
    return ranked.id(kept - 1);
  }

  /** A token's probability in units of the likeliest one's. */
  private double weight(float logit, float best) {
    return Math.exp(((double) logit - best) / options.temperature());
  }
}
