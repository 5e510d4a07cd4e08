package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.output.Terminal;
import io.lensflow.engine.lens.TranslatorFile;
import io.lensflow.engine.lens.TranslatorInfo;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code lensflow lens}: lenses that were learned, as files. */
@Command(
    name = "lens",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    subcommands = LensFitCommand.class,
    description = "Learn a lens from the live activations; list and show lens files.")
public final class LensCommand {
  private static final String SUFFIX = ".safetensors";
  private static final String LINE = "%-20s %-7s %-24s %-18s %-12s %s%n";

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "List the lenses in a folder.",
        "Exit code 1 if a file there cannot be read as a lens."
      })
  int list(
      @Parameters(paramLabel = "DIR", description = "Folder of .safetensors files.") Path folder)
      throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new CommandFailure(folder + " is not a folder");
    }
    List<Path> files;
    try (Stream<Path> entries = Files.list(folder)) {
      files =
          entries.filter(file -> file.getFileName().toString().endsWith(SUFFIX)).sorted().toList();
    }
    PrintStream out = Terminal.standardOutput();
    out.printf(LINE, "NAME", "KIND", "MODEL", "HOOK POINT", "LAYERS", "FILE");
    int broken = 0;
    for (Path file : files) {
      try (TranslatorFile lens = TranslatorFile.open(file)) {
        TranslatorInfo info = lens.info();
        out.printf(
            LINE,
            info.name(),
            kind(info),
            info.model(),
            info.hookPoint().fileName(),
            layers(lens),
            file.getFileName());
      } catch (IOException e) {
        broken++;
        Terminal.standardError().println("lensflow: " + e.getMessage());
      }
    }
    return broken == 0 ? 0 : 1;
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Show what a lens file says about itself.")
  int show(@Parameters(paramLabel = "FILE", description = "A lens.") Path file) throws IOException {
    try (TranslatorFile lens = TranslatorFile.open(file)) {
      TranslatorInfo info = lens.info();
      PrintStream out = Terminal.standardOutput();
      line(out, "name", info.name());
      line(out, "kind", kind(info));
      line(out, "model", info.model());
      line(out, "revision", info.revision());
      line(out, "hook point", info.hookPoint().fileName());
      line(out, "layers", layers(lens));
      line(out, "hidden size", Long.toString(lens.hiddenSize()));
      line(out, "stored as", lens.storedType(lens.layers().first()).safetensorsName());
      line(out, "method", info.method());
      line(out, "training", info.trainingData());
      line(out, "created", info.createdAt());
      return 0;
    }
  }

  private static String kind(TranslatorInfo info) {
    return info.kind().name().toLowerCase(Locale.ROOT);
  }

  /** Such as {@code 0-28}, or {@code 3, 7} where there are holes. */
  private static String layers(TranslatorFile lens) {
    int first = lens.layers().first();
    int last = lens.layers().last();
    if (lens.layers().size() == last - first + 1) {
      return first == last ? "" + first : first + "-" + last;
    }
    return String.join(", ", lens.layers().stream().map(String::valueOf).toList());
  }

  private static void line(PrintStream out, String field, String value) {
    out.printf("%-12s %s%n", field, value.isEmpty() ? "not said" : value);
  }
}
