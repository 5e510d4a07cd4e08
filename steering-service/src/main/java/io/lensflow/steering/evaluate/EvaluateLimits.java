package io.lensflow.steering.evaluate;

/**
 * What one evaluation may take; settings under {@code lensflow.steering.evaluate}.
 *
 * @param maxItems most items of each part: train, validation, test
 * @param maxMultipliers most multipliers
 * @param maxRequests most requests in all
 * @param maxNeutralTokens most tokens of the neutral text
 * @param maxPrompts most prompts that are continued
 * @param maxNewTokens most tokens of a continuation
 * @param maxHeldBytes most bytes of training rows that are held together, as for a build
 */
public record EvaluateLimits(
    int maxItems,
    int maxMultipliers,
    int maxRequests,
    int maxNeutralTokens,
    int maxPrompts,
    int maxNewTokens,
    long maxHeldBytes) {
  /** Where they stand among the settings. */
  static final String SECTION = "lensflow.steering.evaluate.";
}
