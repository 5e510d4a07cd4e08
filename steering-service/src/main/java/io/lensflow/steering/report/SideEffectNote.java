package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation.SideEffects;

/** What a divergence was computed from, in words. Stateless. */
final class SideEffectNote {
  private SideEffectNote() {}

  static String of(SideEffects effects) {
    String rows =
        "Mean over %d rows of a text of %d tokens, steered at %s."
            .formatted(effects.rows(), effects.tokens(), effects.positions());
    return effects.exact()
        ? rows + " Computed over the whole vocabulary."
        : rows
            + " %d tokens, which hold %s of the unsteered probability, are compared one by one and the rest as one: KL is at least this."
                .formatted(effects.namedTokens(), Figures.share(effects.coveredProbability()));
  }
}
