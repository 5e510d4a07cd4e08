package io.lensflow.bench.steering;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.figure.Percentiles;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import io.lensflow.engine.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * How soon a published vector is used by a running worker that has other work, and what publishing
 * costs that work.
 *
 * <p>A vector is published over HTTP, and at the same moment a request is sent that names the
 * version to come; it waits for it in the worker. The time runs from the publish to the arrival, at
 * the client, of the event by which the worker has pinned the version for the request; the next
 * step runs with it. Two are published a second. Broker, registry, worker, steering service and
 * client share the machine's cores with other requests that generate all the time. In turn with
 * stretches of publishing there are stretches as long, with as many requests for an old version:
 * what generation loses between the two is what publishing costs. Requests that generate begin and
 * end together, now more and now fewer of them within a stretch, so that a stretch has to hold many
 * of them.
 */
public final class PublishToUse implements Benchmark {
  /** Publishes of a stretch. */
  private static final int PUBLISHES = 20;

  /** More often than anybody who measures what he publishes. */
  private static final Duration PACE = Duration.ofMillis(500);

  /** Publishes one after the other before anything is measured: workers run for months. */
  private static final int WARM_UP_PUBLISHES = 300;

  /** Stretches of each kind in a round. */
  private static final int TURNS = 2;

  private static final String MODEL = "bench";
  private static final String VECTOR = "probe";

  private static final List<Definition> DEFINITIONS =
      List.of(
          new Definition(
              "publish-to-use-p50-ms",
              "from publishing a vector to its first use under load, median",
              Bound.atMost(100)),
          new Definition(
              "publish-to-use-p99-ms",
              "from publishing a vector to its first use under load, 99th percentile",
              Bound.atMost(1000)),
          new Definition(
              "publish-speed-share",
              "tokens/s of other requests while vectors are published ÷ without",
              Bound.atLeast(0.98, Double.NaN)));

  private final int publishes;

  /** With stretches of {@value #PUBLISHES} publishes. */
  public PublishToUse() {
    this(PUBLISHES);
  }

  PublishToUse(int publishes) {
    this.publishes = publishes;
  }

  @Override
  public List<Definition> definitions() {
    return DEFINITIONS;
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    int hiddenSize;
    try (Checkpoint checkpoint = Checkpoint.open(setting.model())) {
      hiddenSize = checkpoint.config().model().hiddenSize();
    }
    try (TemporaryFolder folder = new TemporaryFolder();
        LocalSystem system =
            new LocalSystem(plan(setting, folder.path()), setting.progress()::accept)) {
      system.start();
      SteeringApi api = new SteeringApi(system.steeringUri());
      try (ProbedLoad load = new ProbedLoad(ProbedLoad.Line.of(system.client()), MODEL, VECTOR)) {
        publish(api, hiddenSize, 1);
        PublishStretches stretches =
            new PublishStretches(
                load, version -> publish(api, hiddenSize, version), publishes, PACE);
        stretches.warmUp(WARM_UP_PUBLISHES);
        return measure(stretches, setting);
      }
    }
  }

  private List<Finding> measure(PublishStretches stretches, Setting setting) throws Exception {
    Timings timings =
        setting
            .comparison()
            .alternate(
                TURNS,
                told(setting, "while publishing", stretches::publishing),
                told(setting, "without", stretches::plain));
    int warmUp = WARM_UP_PUBLISHES + TURNS * publishes;
    return findings(
        counted(stretches.usingMillis(), warmUp),
        counted(stretches.publishingMillis(), warmUp),
        timings);
  }

  private static Timed told(Setting setting, String how, Timed secondsPerToken) {
    return () -> {
      double seconds = secondsPerToken.seconds();
      setting
          .progress()
          .accept(
              String.format(
                  Locale.ROOT,
                  "%s: %.1f tokens/s %s",
                  DEFINITIONS.get(2).name(),
                  1 / seconds,
                  how));
      return seconds;
    };
  }

  private static List<Double> counted(List<Double> samples, int warmUp) {
    return samples.subList(warmUp, samples.size());
  }

  private List<Finding> findings(
      List<Double> using, List<Double> publishing, Timings secondsPerToken) {
    Percentiles millis = Percentiles.of(using);
    double p50 = millis.at(0.5);
    double p99 = millis.at(0.99);
    String says =
        String.format(
            Locale.ROOT,
            "%d publishes while %d requests generate: p50 %.0f ms, p99 %.0f ms, longest %.0f ms; of the median %.0f ms"
                + " are the publish over HTTP.",
            using.size(),
            ProbedLoad.AT_ONCE,
            p50,
            p99,
            millis.at(1),
            Percentiles.of(publishing).at(0.5));
    Figure share =
        Figure.ofSamples(
            DEFINITIONS.get(2).name(),
            "ratio",
            secondsPerToken.samples(seconds -> seconds[1] / seconds[0]));
    return List.of(
        new Finding(
            new Figure(DEFINITIONS.get(0).name(), p50, "ms", using),
            DEFINITIONS.get(0).bound(),
            says),
        new Finding(
            new Figure(DEFINITIONS.get(1).name(), p99, "ms", using),
            DEFINITIONS.get(1).bound(),
            says),
        new Finding(
            share,
            DEFINITIONS.get(2).bound(),
            String.format(
                Locale.ROOT,
                "%.0f tokens/s in stretches of %d publishes, %.0f in those as long with as many requests for an old version.",
                TURNS / secondsPerToken.median(0),
                publishes,
                TURNS / secondsPerToken.median(1))));
  }

  private static void publish(SteeringApi api, int hiddenSize, int version) {
    Random random = new Random(version);
    float[] values = new float[hiddenSize];
    for (int i = 0; i < hiddenSize; i++) {
      values[i] = (float) random.nextGaussian();
    }
    String body =
        "{\"layer\": 1, \"hookPoint\": \"RESIDUAL_POST\", \"values\": %s}"
            .formatted(Arrays.toString(values));
    JsonNode answer = api.post(ApiPath.vector(MODEL, VECTOR), body);
    if (answer.get("version").asInt() != version) {
      throw new CommandFailure("version %d was expected: %s".formatted(version, answer));
    }
  }

  private static SystemPlan plan(Setting setting, Path folder) {
    return SystemPlan.embedded(setting.model(), MODEL, "", folder, Map.of());
  }
}
