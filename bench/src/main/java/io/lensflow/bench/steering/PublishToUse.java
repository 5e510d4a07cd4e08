package io.lensflow.bench.steering;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import io.lensflow.engine.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * How soon a published vector is used by a running worker that has other work, and what publishing
 * costs that work.
 *
 * <p>A vector is published over HTTP, and at the same moment a request is sent that names the
 * version to come; it waits for it in the worker. The time runs from the publish to the arrival, at
 * the client, of the event by which the worker has pinned the version for the request; the next
 * step runs with it. Broker, registry, worker, steering service and client share the machine's
 * cores with other requests that generate all the time. In turn with stretches of publishing there
 * are stretches with the same requests and an old version: what generation loses between the two is
 * what publishing costs.
 */
public final class PublishToUse implements Benchmark {
  private static final int PUBLISHES = 200;
  private static final int STRETCHES = 10;
  private static final int SLOTS = 8;
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
        ProbedLoad.await(load.probe(1));
        return measure(load, api, hiddenSize);
      }
    }
  }

  private static List<Finding> measure(ProbedLoad load, SteeringApi api, int hiddenSize) {
    List<Double> publishing = new ArrayList<>();
    List<Double> using = new ArrayList<>();
    List<Double> shares = new ArrayList<>();
    int version = 1;
    // The first stretch of each kind warms up.
    for (int stretch = 0; stretch <= STRETCHES; stretch++) {
      List<Double> used = new ArrayList<>();
      double plain =
          load.tokensPerSecond(PUBLISHES / STRETCHES, index -> ProbedLoad.await(load.probe(1)));
      int first = version + 1;
      double busy =
          load.tokensPerSecond(
              PUBLISHES / STRETCHES,
              index -> {
                long start = System.nanoTime();
                CompletableFuture<Long> use = load.probe(first + index);
                publish(api, hiddenSize, first + index);
                long published = System.nanoTime();
                used.add((ProbedLoad.await(use) - start) / 1e6);
                publishing.add((published - start) / 1e6);
              });
      version += PUBLISHES / STRETCHES;
      if (stretch > 0) {
        using.addAll(used);
        shares.add(busy / plain);
      }
    }
    return findings(using, publishing, shares);
  }

  private static List<Finding> findings(
      List<Double> using, List<Double> publishing, List<Double> shares) {
    double p50 = percentile(using, 0.50);
    double p99 = percentile(using, 0.99);
    String says =
        String.format(
            Locale.ROOT,
            "%d publishes while %d requests generate: p50 %.0f ms, p99 %.0f ms, longest %.0f ms; of the median %.0f ms"
                + " are the publish over HTTP.",
            using.size(),
            ProbedLoad.AT_ONCE,
            p50,
            p99,
            percentile(using, 1),
            percentile(publishing, 0.5));
    Figure share = Figure.ofSamples(DEFINITIONS.get(2).name(), "ratio", shares);
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
                "stretches of %d publishes in turn with as many requests at an old version.",
                PUBLISHES / STRETCHES)));
  }

  /** The smallest sample that at least this share of all does not exceed. */
  static double percentile(List<Double> samples, double share) {
    List<Double> sorted = samples.stream().sorted().toList();
    int rank = (int) Math.ceil(share * sorted.size());
    return sorted.get(Math.max(0, rank - 1));
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
    return SystemPlan.embedded(
        setting.model(), MODEL, "", folder, Map.of("lensflow.worker.slots", SLOTS));
  }
}
