package io.lensflow.cli.option;

import io.lensflow.records.PolicyUse;
import io.lensflow.records.PromptRequest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** All that a {@link PromptRequest} can say, as options. */
public final class RequestOptions {
  @Mixin PromptOptions prompt;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "NAME",
      defaultValue = "",
      description = "Served name of the model (default: the one that is served).")
  String model;

  @Option(
      names = "--revision",
      paramLabel = "HASH",
      description = "Accept only this revision of the checkpoint.")
  String revision;

  @Mixin SamplingOptions sampling;
  @Mixin CaptureOptions capture;
  @Mixin LensOptions lens;

  @ArgGroup(exclusive = false, multiplicity = "0..*")
  List<SteerOptions> steering = new ArrayList<>();

  @Option(names = "--no-policy", description = "Do without the deployment's steering policies.")
  boolean noPolicy;

  @Option(
      names = "--label",
      paramLabel = "KEY=VALUE",
      description = "A label, carried to every result; repeatable.")
  Map<String, String> labels = new LinkedHashMap<>();

  @Option(
      names = "--tenant",
      paramLabel = "NAME",
      defaultValue = "",
      description = "Who the request is for.")
  String tenant;

  @Option(
      names = "--deadline",
      paramLabel = "DURATION",
      defaultValue = "10m",
      converter = DurationConverter.class,
      description = "The request fails if it has not ended by then (default: ${DEFAULT-VALUE}).")
  Duration deadline;

  @Option(
      names = "--request-id",
      paramLabel = "ID",
      defaultValue = "",
      description = "Id of the request, a UUIDv7; the same id sent twice is one request.")
  String requestId;

  /** The request, as it will be sent. */
  public PromptRequest toRequest(Clock clock) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    return PromptRequest.newBuilder()
        .setRequestId(requestId)
        .setCreatedAt(now)
        .setDeadline(now.plus(deadline))
        .setModel(model)
        .setRevision(revision)
        .setTenant(tenant)
        .setLabels(labels)
        .setPrompt(prompt.toPrompt())
        .setSampling(sampling.toSampling())
        .setStop(sampling.stop)
        .setIgnoreEos(sampling.ignoreEos)
        .setMaxNewTokens(sampling.maxNewTokens)
        .setLogProbs(sampling.logProbs)
        .setCapture(capture.toCapture())
        .setLenses(lens.toLenses())
        .setSteering(steering.stream().map(SteerOptions::toSteering).toList())
        .setPolicies(noPolicy ? PolicyUse.IGNORE : PolicyUse.APPLY)
        .build();
  }

  /** How long the request may take. */
  public Duration deadline() {
    return deadline;
  }
}
