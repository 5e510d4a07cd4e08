package io.lensflow.steering.evaluate;

import java.util.List;

/**
 * What an evaluation sends. {@code name} and {@code data} must be there, {@code version} unless it
 * is a sweep, and {@code test} or {@code split}.
 *
 * @param name name of the vector
 * @param version its version; aliases move, so that whoever asks says which version they mean
 * @param hookPoint of the version's sites, only those at this one; absent: all
 * @param layer of the version's sites, only the one at this layer; absent: all
 * @param data contrastive items, one JSON object a line
 * @param dataset what to call the data
 * @param format {@code chat} or {@code plain}; absent: chat
 * @param test items to judge by, such as {@code 200-239}
 * @param train items to build the control of shuffled labels from, and a sweep; absent: the
 *     split's, else none
 * @param validation items to choose a sweep's site by; absent: the split's
 * @param split seed of a split that gives what {@code train}, {@code validation} and {@code test}
 *     leave open
 * @param multipliers absent: −1.5 … 1.5 in steps of 0.5
 * @param positions which rows are steered; absent: {@code last_prompt}
 * @param controls whether vectors of equal norm are measured beside it; absent: yes
 * @param neutral text for the side effects; absent: one that comes with the service; empty: none
 * @param prompts texts to continue side by side
 * @param questions how many test questions to continue side by side; absent: none
 * @param promptMultipliers multipliers of continuations; absent: the lowest, 0 and the highest
 * @param maxNewTokens most tokens of a continuation; absent: 48
 * @param sweep where to look for the best site; absent: nowhere
 * @param method how controls and a sweep are built; absent: as the version's manifest says, or
 *     {@code MEAN_DIFFERENCE}
 * @param balance a sweep's and the controls' balance; absent: with {@code method} absent, too, that
 *     of the version's manifest, else {@code LABEL}
 * @param seed of everything random; absent: 0
 */
public record EvaluateRequest(
    String name,
    Integer version,
    String hookPoint,
    Integer layer,
    String data,
    String dataset,
    String format,
    String test,
    String train,
    String validation,
    Long split,
    List<Double> multipliers,
    String positions,
    Boolean controls,
    String neutral,
    List<String> prompts,
    Integer questions,
    List<Double> promptMultipliers,
    Integer maxNewTokens,
    SweepRequest sweep,
    String method,
    String balance,
    Long seed) {

  /**
   * Sites to try.
   *
   * @param layers layer spec; absent: all
   * @param hookPoints absent: {@code ATTENTION_INPUT} and {@code RESIDUAL_POST}
   * @param publish whether the best becomes the next version of the name; absent: no
   */
  public record SweepRequest(String layers, List<String> hookPoints, Boolean publish) {}
}
