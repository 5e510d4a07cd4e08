package io.lensflow.cli.option;

import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What the decoder makes of the rows. */
public final class LensOptions {
  @Spec(Spec.Target.MIXEE)
  CommandSpec command;

  @Option(
      names = "--lens",
      paramLabel = "NAME",
      split = ",",
      defaultValue = "logit",
      description = {
        "Lens to look through; repeatable (default: ${DEFAULT-VALUE}).",
        "none leaves the rows undecoded."
      })
  List<String> names;

  @Option(
      names = "--top-k-lens",
      paramLabel = "K",
      defaultValue = "5",
      description = "Tokens to report per row and layer (default: ${DEFAULT-VALUE}).")
  int topK;

  @Option(
      names = "--metrics",
      paramLabel = "METRIC",
      split = ",",
      defaultValue = "top_k,entropy,log_sum_exp",
      converter = MetricConverter.class,
      description = {
        "What to compute: top_k, entropy, log_sum_exp, targets, kl, js, projections",
        "(default: ${DEFAULT-VALUE})."
      })
  List<LensMetric> metrics;

  @Option(
      names = "--target-ids",
      paramLabel = "ID",
      split = ",",
      description = "Further tokens to report logit and rank of; adds the metric targets.")
  List<Integer> targetIds = new ArrayList<>();

  @Option(
      names = "--accuracy",
      paramLabel = "PATH",
      defaultValue = "fast",
      converter = AccuracyConverter.class,
      description = "fast or exact (default: ${DEFAULT-VALUE}).")
  LensAccuracy accuracy;

  @Option(
      names = "--project",
      paramLabel = "NAME@VERSION",
      split = ",",
      description = "Steering vectors to project rows onto; adds the metric projections.")
  List<String> projections = new ArrayList<>();

  /** The lenses of a request. */
  public List<LensRequest> toLenses() {
    if (topK < 1) {
      throw new ParameterException(command.commandLine(), "--top-k-lens must be 1 or more");
    }
    if (names.equals(List.of("none"))) {
      return List.of();
    }
    Set<LensMetric> wanted = new LinkedHashSet<>(metrics);
    if (!targetIds.isEmpty()) {
      wanted.add(LensMetric.TARGETS);
    }
    if (!projections.isEmpty()) {
      wanted.add(LensMetric.PROJECTIONS);
    }
    return names.stream()
        .distinct()
        .map(
            name ->
                LensRequest.newBuilder()
                    .setName(name)
                    .setTopK(topK)
                    .setMetrics(List.copyOf(wanted))
                    .setTargetIds(targetIds)
                    .setAccuracy(accuracy)
                    .setProjections(projections)
                    .build())
        .toList();
  }

  static final class MetricConverter implements ITypeConverter<LensMetric> {
    @Override
    public LensMetric convert(String value) {
      return Choice.of(LensMetric.class, value);
    }
  }

  static final class AccuracyConverter implements ITypeConverter<LensAccuracy> {
    @Override
    public LensAccuracy convert(String value) {
      return Choice.of(LensAccuracy.class, value);
    }
  }
}
