package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.evaluate.Evaluation.Control;

/** What reports call controls. Stateless. */
final class ControlNames {
  private ControlNames() {}

  static String of(Control control) {
    return switch (control.kind()) {
      case Evaluation.RANDOM -> "random vector";
      case Evaluation.SHUFFLED_LABELS -> "shuffled labels";
      default -> control.kind();
    };
  }
}
