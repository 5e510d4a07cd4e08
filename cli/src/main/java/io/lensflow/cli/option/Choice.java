package io.lensflow.cli.option;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.TypeConversionException;

/** Reads the enums of records: any case, {@code -} for {@code _}, never {@code UNKNOWN}. */
final class Choice {
  private Choice() {}

  static <E extends Enum<E>> E of(Class<E> type, String text) {
    String name = text.strip().replace('-', '_').toUpperCase(Locale.ROOT);
    return Arrays.stream(type.getEnumConstants())
        .filter(value -> isOffered(value) && value.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "'%s' is none of %s".formatted(text, String.join(", ", offered(type)))));
  }

  private static <E extends Enum<E>> Iterable<String> offered(Class<E> type) {
    return Arrays.stream(type.getEnumConstants())
        .filter(Choice::isOffered)
        .map(value -> value.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.toList());
  }

  /** UNKNOWN stands for symbols of newer writers; nobody can ask for it. */
  private static boolean isOffered(Enum<?> value) {
    return !value.name().equals("UNKNOWN");
  }
}
