package io.lensflow.steering.report;

import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.items.ItemRange;
import io.lensflow.steering.items.SkippedLine;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** What was measured on what, as names and values. Stateless. */
final class FactList {
  private FactList() {}

  static List<List<String>> of(Evaluation evaluation) {
    List<List<String>> facts = new ArrayList<>();
    facts.add(List.of("model", evaluation.model() + ", revision " + evaluation.revision()));
    facts.add(
        List.of(
            "vector",
            evaluation.vector()
                + (evaluation.method().isEmpty() ? "" : ", " + evaluation.method())));
    facts.add(
        List.of(
            "sites",
            evaluation.sites().stream()
                .map(
                    s ->
                        "%s of layer %d, norm %s"
                            .formatted(s.hook(), s.layer(), Figures.of(s.norm())))
                .collect(Collectors.joining("; "))));
    facts.add(
        List.of(
            "data", "%s, SHA-256 %s".formatted(evaluation.dataset(), evaluation.datasetHash())));
    addItems(facts, "train items", evaluation.train());
    addItems(facts, "validation items", evaluation.validation());
    addItems(facts, "test items", evaluation.test());
    if (evaluation.repeated() > 0) {
      facts.add(
          List.of(
              "repeated", evaluation.repeated() + " test items ask the same as an earlier item"));
    }
    if (!evaluation.skipped().isEmpty()) {
      facts.add(
          List.of(
              "skipped",
              evaluation.skippedCount()
                  + " lines: "
                  + evaluation.skipped().stream()
                      .map(SkippedLine::toString)
                      .collect(Collectors.joining("; "))));
    }
    if (evaluation.moreThanTwoChoices() > 0) {
      facts.add(List.of("more than two choices", evaluation.moreThanTwoChoices() + " items"));
    }
    if (evaluation.labelShare() != null) {
      facts.add(List.of("label share", Figures.of(evaluation.labelShare())));
    }
    facts.add(
        List.of(
            "took",
            "%d requests, %s s, ended %s"
                .formatted(
                    evaluation.requests(),
                    Figures.of(evaluation.seconds()),
                    evaluation.createdAt())));
    facts.add(List.of("seed", Long.toString(evaluation.seed())));
    return facts;
  }

  /** Where the vector acts. */
  static String site(Evaluation evaluation) {
    return evaluation.hook() == null
        ? evaluation.sites().size() + " sites"
        : "%s of layer %d".formatted(evaluation.hook(), evaluation.layer());
  }

  private static void addItems(List<List<String>> facts, String name, List<Integer> numbers) {
    if (!numbers.isEmpty()) {
      List<Integer> sorted = numbers.stream().sorted().toList();
      facts.add(List.of(name, "%d: %s".formatted(numbers.size(), ItemRange.format(sorted))));
    }
  }
}
