package io.lensflow.steering.json;

import io.lensflow.steering.vector.RefusedException;
import java.util.Objects;
import java.util.function.Supplier;

/** What the fields of requests have in common. Stateless. */
public final class Fields {
  private Fields() {}

  /**
   * Sees to it that a text is there.
   *
   * @throws RefusedException if it is absent or blank
   */
  public static void require(String field, String value) {
    if (value == null || value.isBlank()) {
      throw RefusedException.invalid(field, "must be set");
    }
  }

  /** What a field holds, or what holds where it is absent. */
  public static <T> T or(T value, T fallback) {
    return Objects.requireNonNullElse(value, fallback);
  }

  /**
   * What a text means.
   *
   * @param parse reads it, and throws {@link IllegalArgumentException} if it means nothing
   * @throws RefusedException if it means nothing
   */
  public static <T> T parsed(String field, Supplier<T> parse) {
    try {
      return parse.get();
    } catch (IllegalArgumentException e) {
      throw RefusedException.invalid(field, e.getMessage());
    }
  }
}
