package io.lensflow.cli.option;

import io.lensflow.cli.output.Terminal;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How to show things. */
public final class OutputOptions {
  @Option(
      names = "--color",
      paramLabel = "WHEN",
      defaultValue = "auto",
      converter = ColourConverter.class,
      description = "auto, always or never; auto respects NO_COLOR (default: ${DEFAULT-VALUE}).")
  Terminal.ColourMode colour;

  /** The terminal to write for. */
  public Terminal terminal() {
    return Terminal.detect(colour);
  }

  static final class ColourConverter implements ITypeConverter<Terminal.ColourMode> {
    @Override
    public Terminal.ColourMode convert(String value) {
      try {
        return Terminal.ColourMode.valueOf(value.toUpperCase(Locale.ROOT));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException("'" + value + "' is none of auto, always, never");
      }
    }
  }
}
