package io.lensflow.cli.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.ApiPath;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow vectors similarity}: cosines of vectors over their layers and hook points. */
@Command(
    name = "similarity",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Show the cosines between vectors, over their layers and hook points.")
final class SimilarityCommand implements Callable<Integer> {
  @Parameters(
      arity = "1..*",
      paramLabel = "NAME[@VERSION|@ALIAS]",
      description = "What to compare; one alone compares its own sites.")
  List<String> vectors;

  @Mixin SteeringServiceOptions service;

  @Option(names = "--model", required = true, description = "Served name of the model.")
  String model;

  @Option(names = "--layers", paramLabel = "SPEC", description = "Only these layers.")
  String layers;

  @Option(names = "--hook-point", paramLabel = "POINT", description = "Only this hook point.")
  String hookPoint;

  @Option(names = "--json", description = "Print the service's answer as JSON.")
  boolean json;

  @Override
  public Integer call() {
    JsonNode answer =
        service
            .api()
            .get(
                ApiPath.model(model, "similarity")
                    .with("vectors", String.join(",", vectors))
                    .with("layers", layers)
                    .with("hookPoint", hookPoint));
    if (json) {
      return SteeringServiceOptions.show(answer);
    }
    print(answer, Terminal.standardOutput());
    return 0;
  }

  /** A row per item, numbered, and under each number the cosine with that item. */
  static void print(JsonNode answer, PrintStream out) {
    List<String> labels = new ArrayList<>();
    for (JsonNode item : answer.get("items")) {
      labels.add(
          "%s@%d %s/%d"
              .formatted(
                  item.get("name").asText(),
                  item.get("version").asInt(),
                  item.get("hookPoint").asText(),
                  item.get("layer").asInt()));
    }
    int width = labels.stream().mapToInt(String::length).max().orElse(0);
    StringBuilder head = new StringBuilder(" ".repeat(width + 5));
    for (int i = 1; i <= labels.size(); i++) {
      head.append("%7d".formatted(i));
    }
    out.println(head);
    for (int i = 0; i < labels.size(); i++) {
      StringBuilder row =
          new StringBuilder(("%3d  %-" + width + "s").formatted(i + 1, labels.get(i)));
      for (JsonNode cosine : answer.get("cosines").get(i)) {
        row.append(String.format(Locale.ROOT, "%7.3f", cosine.asDouble()));
      }
      out.println(row);
    }
  }
}
