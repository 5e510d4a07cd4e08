package io.lensflow.cli.option;

import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import io.lensflow.schemas.lens.ServedLenses;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

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
        "Lenses to look through, logit or translators that the decoder holds; repeatable (default:",
        "${DEFAULT-VALUE}). none leaves the rows undecoded."
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
      description = {
        "What to compute: top_k, entropy, log_sum_exp, targets, kl, js, projections, or all",
        "(default: ${DEFAULT-VALUE})."
      })
  List<String> metrics;

  @Option(
      names = "--target-ids",
      paramLabel = "ID",
      split = ",",
      description = "Further tokens to report logit and rank of; adds the metric targets.")
  List<Integer> targetIds = new ArrayList<>();

  @Option(
      names = "--target-text",
      paramLabel = "TEXT",
      description = {
        "A further token by its text, its leading space included (' Paris'); repeatable; adds the",
        "metric targets."
      })
  List<String> targetTexts = new ArrayList<>();

  @Option(
      names = "--accuracy",
      paramLabel = "PATH",
      defaultValue = "fast",
      converter = AccuracyConverter.class,
      description = {
        "fast or exact (default: ${DEFAULT-VALUE}). kl and js are always computed the exact way."
      })
  LensAccuracy accuracy;

  @Option(
      names = "--norm-scale",
      paramLabel = "SCALE",
      defaultValue = "own",
      converter = NormScaleConverter.class,
      description = {
        "own, or final: the final norm's scale is that of the model's own last row, so that what",
        "attention and MLP outputs say adds up to the logits (default: ${DEFAULT-VALUE})."
      })
  NormScale normScale;

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
    Set<LensMetric> wanted = wanted();
    if (!targetIds.isEmpty() || !targetTexts.isEmpty()) {
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
                    .setTargetTexts(targetTexts)
                    .setAccuracy(accuracy)
                    .setNormScale(normScale)
                    .setProjections(projections)
                    .build())
        .toList();
  }

  /** {@code all} is what needs nothing else: projections need to be told onto what. */
  private Set<LensMetric> wanted() {
    Set<LensMetric> wanted = new LinkedHashSet<>();
    for (String metric : metrics) {
      if (metric.strip().equalsIgnoreCase("all")) {
        wanted.addAll(new TreeSet<>(ServedLenses.METRICS));
        wanted.remove(LensMetric.PROJECTIONS);
        continue;
      }
      try {
        wanted.add(Choice.of(LensMetric.class, metric));
      } catch (TypeConversionException e) {
        throw new ParameterException(
            command.commandLine(), "--metrics: " + e.getMessage() + ", all", e);
      }
    }
    return wanted;
  }

  static final class AccuracyConverter implements ITypeConverter<LensAccuracy> {
    @Override
    public LensAccuracy convert(String value) {
      return Choice.of(LensAccuracy.class, value);
    }
  }

  static final class NormScaleConverter implements ITypeConverter<NormScale> {
    @Override
    public NormScale convert(String value) {
      return Choice.of(NormScale.class, value);
    }
  }
}
