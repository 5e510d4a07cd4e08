package io.lensflow.engine.steering;

import io.lensflow.text.spec.PositionSpec;
import java.util.List;
import java.util.function.Function;

/**
 * How a sequence is steered in its first tokens: two sequences that begin with the same tokens have
 * the same keys and values there if they are steered alike.
 *
 * @param operations operations in the order of application, which are compared by {@code equals}
 * @param positions which positions one of them changes
 * @param promptLength P, against which these are resolved
 */
public record PrefixSteering<S>(
    List<S> operations, Function<S, PositionSpec> positions, int promptLength) {
  /** Whether both change the first {@code length} positions in the same way. */
  public boolean isSameAs(PrefixSteering<S> other, int length) {
    List<S> own = before(length);
    return own.equals(other.before(length))
        && own.stream().allMatch(one -> selectsSame(positions.apply(one), other, length));
  }

  private List<S> before(int length) {
    return operations.stream()
        .filter(one -> positions.apply(one).firstSelected(length, promptLength) < length)
        .toList();
  }

  private boolean selectsSame(PositionSpec spec, PrefixSteering<S> other, int length) {
    for (int position = 0; position < length; position++) {
      if (spec.selects(position, promptLength) != spec.selects(position, other.promptLength)) {
        return false;
      }
    }
    return true;
  }
}
