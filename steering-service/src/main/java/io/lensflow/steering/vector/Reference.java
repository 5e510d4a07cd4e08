package io.lensflow.steering.vector;

import java.util.List;

/**
 * Something that means a version of a vector and would break if that went. Immutable.
 *
 * @param by what refers, for people: {@code policy 'calm'}
 * @param version the version that it means, 0 if it means an alias
 * @param alias the alias that it means; {@link Names#LATEST} where it names neither
 */
public record Reference(String by, int version, String alias) {
  /**
   * Refuses a retirement that would leave this without a version. What a named alias stands for
   * cannot be retired anyway, {@code latest} falls back to what remains.
   */
  void refuseRetirement(NamedVector vector, List<Integer> doomed) {
    if (version != 0 && doomed.contains(version)) {
      throw inUse("version", "%s refers to version %d".formatted(by, version));
    }
    if (version == 0 && doomed.containsAll(vector.versions().keySet())) {
      throw inUse("version", "%s refers to '%s', and no version would remain".formatted(by, alias));
    }
  }

  /** Refuses the removal of the alias that this means. */
  void refuseRemoval(String removed) {
    if (version == 0 && alias.equals(removed)) {
      throw inUse("alias", "%s refers to alias '%s'".formatted(by, alias));
    }
  }

  private static RefusedException inUse(String field, String what) {
    return RefusedException.conflict(
        "VERSION_IN_USE", field, what + "; change or delete that first");
  }
}
