package io.lensflow.steering.json;

import io.lensflow.steering.vector.RefusedException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Symbols of enums as people write them. Stateless. */
public final class Symbols {
  /** Stands in records for what a reader does not know, and is nobody's choice. */
  private static final String UNKNOWN = "UNKNOWN";

  private Symbols() {}

  /**
   * The symbol of that name, in any case, with {@code -} or {@code _}.
   *
   * @param field what an error names
   * @throws RefusedException if there is none; the message lists them
   */
  public static <E extends Enum<E>> E choose(Class<E> type, String field, String text) {
    String wanted = text.strip().toUpperCase(Locale.ROOT).replace('-', '_');
    List<E> choices =
        Arrays.stream(type.getEnumConstants())
            .filter(choice -> !choice.name().equals(UNKNOWN))
            .toList();
    return choices.stream()
        .filter(choice -> choice.name().equals(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                RefusedException.invalid(
                    field,
                    "'%s' is none of %s"
                        .formatted(
                            text,
                            choices.stream().map(Enum::name).collect(Collectors.joining(", ")))));
  }
}
