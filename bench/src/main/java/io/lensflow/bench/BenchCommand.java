package io.lensflow.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The {@code bench} command: prints a table, and writes the figures as JSON if asked. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Measures Lensflow on this machine; every figure is a ratio within one run.")
public final class BenchCommand implements Callable<Integer> {
  @Option(names = "--model", required = true, description = "Folder of the checkpoint.")
  private Path model;

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "Counted rounds (${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--new-tokens",
      defaultValue = "32",
      description = "Tokens to generate per round (${DEFAULT-VALUE}).")
  private int newTokens;

  @Option(names = "--json", paramLabel = "FILE", description = "Write the figures to this file.")
  private Path json;

  /** Runs the benchmarks by themselves. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new BenchCommand()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    Comparison comparison = new Comparison(rounds);
    List<Figure> figures = new ArrayList<>();
    try (Engine engine = EngineLoader.load(model, EngineOptions.defaults())) {
      for (int batch : new int[] {1, 16}) {
        report(figures, new CaptureShare(engine, batch, newTokens).measure(comparison));
      }
    }
    try (LensHead head = LensHead.load(model, LensHeadOptions.defaults())) {
      report(figures, new LensBatching(head, 256).measure(comparison));
    }
    if (json != null) {
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .writeValue(json.toFile(), document(figures));
    }
    return 0;
  }

  private static void report(List<Figure> figures, Figure figure) {
    figures.add(figure);
    System.out.printf(
        Locale.ROOT,
        "%-28s %8.3f %-6s  %s%n",
        figure.name(),
        figure.value(),
        figure.unit(),
        figure.samples().stream().map(s -> "%.3f".formatted(s)).toList());
  }

  private Map<String, Object> document(List<Figure> figures) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put(
        "machine",
        Map.of(
            "processors", Runtime.getRuntime().availableProcessors(),
            "architecture", System.getProperty("os.arch")));
    document.put(
        "versions",
        Map.of("java", Runtime.version().toString(), "model", model.getFileName().toString()));
    document.put("figures", figures);
    return document;
  }
}
