package io.lensflow.engine.model;

import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.steering.PrefixSteering;
import io.lensflow.engine.steering.SteeringSite;
import io.lensflow.engine.steering.StepSteering;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What sequences must hold to before anything changes. Stateless. */
final class SequenceCheck {
  private SequenceCheck() {}

  /** The sequence as the engine that opened it knows it. */
  static RunningSequence own(Transformer engine, Sequence sequence) {
    if (!(sequence instanceof RunningSequence running) || running.owner() != engine) {
      throw new IllegalArgumentException("the sequence was opened by another engine");
    }
    return running;
  }

  /** Refuses a sequence that may not begin with the first tokens of another. */
  static void prefix(RunningSequence source, int length, SequenceOptions options) {
    int promptLength = options.promptLength();
    if (length < 1 || length >= promptLength || length > source.options().maxLength()) {
      throw new IllegalArgumentException(
          "a prefix of %d tokens, of a prompt of %d and a source of at most %d"
              .formatted(length, promptLength, source.options().maxLength()));
    }
    CapturePlan capture = options.capture();
    if (!capture.isEmpty() && capture.positions().firstSelected(length, promptLength) < length) {
      throw new IllegalArgumentException(
          "capture: positions '%s' select some of the first %d, which are not computed"
              .formatted(capture.positions(), length));
    }
    if (!steering(options).isSameAs(steering(source.options()), length)) {
      throw new IllegalArgumentException(
          "steering: the source's first %d tokens are steered otherwise".formatted(length));
    }
  }

  private static PrefixSteering<SteeringSite> steering(SequenceOptions options) {
    return new PrefixSteering<>(
        options.steering(), SteeringSite::positions, options.promptLength());
  }

  /** Refuses a step of which any input does not fit, so that a refused step leaves no trace. */
  static void inputs(Transformer engine, List<StepInput> inputs) {
    ModelConfig config = engine.config();
    Map<RunningSequence, Integer> lengths = new HashMap<>();
    for (StepInput input : inputs) {
      RunningSequence sequence = own(engine, input.sequence());
      if (sequence.isClosed()) {
        throw new IllegalStateException("the sequence is closed");
      }
      if (!sequence.holdsSource(lengths)) {
        throw new IllegalStateException(
            "the sequence's source is closed, or has not consumed the %d tokens that both begin with"
                .formatted(sequence.begin()));
      }
      int count = input.tokenIds().length;
      if (lengths.put(sequence, sequence.length() + count) != null) {
        throw new IllegalArgumentException("a sequence stands twice in one step");
      }
      StepSteering.check(sequence.options().steering(), config.layers(), config.hiddenSize());
      int room = sequence.options().maxLength() - sequence.length();
      if (count < 1 || count > room) {
        throw new IllegalArgumentException(
            "%d tokens for a sequence at %d; it has room for %d more"
                .formatted(count, sequence.length(), room));
      }
      for (int id : input.tokenIds()) {
        if (id < 0 || id >= config.vocabularySize()) {
          throw new IllegalArgumentException(
              "token id %d is not of this model's vocabulary, 0 … %d"
                  .formatted(id, config.vocabularySize() - 1));
        }
      }
    }
  }
}
