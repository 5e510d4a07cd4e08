package io.lensflow.bench.steering;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.limit.LinearsAlone;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.ContrastiveData;
import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.DataFile;
import io.lensflow.cli.steering.FollowedJob;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import io.lensflow.engine.DType;
import io.lensflow.engine.EngineOptions;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * How much of building a vector is GEMM: the linears alone for as many tokens as a build reads ÷
 * seconds of the build, from the request over HTTP to the published version. Broker (a child JVM),
 * registry, worker, decoder, steering service and gateway share the machine's cores, and rows of 40
 * items' both answers come at all layers in float32. The system idles while the linears are timed.
 */
public final class BuildGemmShare implements Benchmark {
  private static final int ITEMS = 40;

  /** Rows of one call of the linears alone, as for a prompt of that length. */
  private static final int ROWS = 512;

  private static final long POLL_NANOS = 10_000_000;
  private static final String MODEL = "bench";
  private static final Definition DEFINITION =
      new Definition(
          "build-gemm-share",
          "the GEMMs of a build's tokens alone ÷ seconds of the build through the whole system, 40 items, all layers, float32",
          Bound.atLeast(0.6, 1));

  private final Supplier<DataFile> items;

  /** Over the items that there are on this machine. */
  public BuildGemmShare() {
    this(ContrastiveData::read);
  }

  /**
   * @param items at least 40, asked for when it is measured
   */
  BuildGemmShare(Supplier<DataFile> items) {
    this.items = items;
  }

  @Override
  public List<Definition> definitions() {
    return List.of(DEFINITION);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    DataFile data = items.get();
    String request = request(data, format(setting.model()));
    int threads = EngineOptions.defaults().threads();
    try (TemporaryFolder folder = new TemporaryFolder();
        LocalSystem system =
            new LocalSystem(plan(setting, folder.path()), setting.progress()::accept);
        LinearsAlone linears = LinearsAlone.load(setting.model(), DType.FLOAT32, threads);
        LinearsAlone.Pass pass = linears.pass(ROWS, 1)) {
      system.start();
      SteeringApi api = new SteeringApi(system.steeringUri());
      long tokens = build(api, request).path("tokens").asLong();
      Timed whole = Timed.whole(() -> build(api, request));
      Timings timings = setting.comparison().alternate(whole, Timed.each(2, pass::run));
      return List.of(finding(timings, tokens, data));
    }
  }

  private static Finding finding(Timings timings, long tokens, DataFile data) {
    double passes = (double) tokens / ROWS;
    Figure figure =
        Figure.ofSamples(
            DEFINITION.name(),
            "ratio",
            timings.samples(seconds -> passes * seconds[1] / seconds[0]));
    double whole = timings.median(0);
    String says =
        String.format(
            Locale.ROOT,
            "%d items of %s, %d tokens, take %.2f s (%.1f items/s, %.0f tokens/s); the GEMMs alone %.2f s.",
            ITEMS,
            data.name(),
            tokens,
            whole,
            ITEMS / whole,
            tokens / whole,
            passes * timings.median(1));
    return new Finding(figure, DEFINITION.bound(), says);
  }

  /** Asks for a build and waits for its version; the job's result. */
  private static JsonNode build(SteeringApi api, String request) {
    String id = api.post(ApiPath.model(MODEL, "builds"), request).path("id").asText();
    while (true) {
      JsonNode job = api.get(FollowedJob.path(id));
      switch (job.path("state").asText()) {
        case "SUCCEEDED" -> {
          return job.path("result");
        }
        case "QUEUED", "RUNNING" -> LockSupport.parkNanos(POLL_NANOS);
        default -> throw new CommandFailure("the build failed: " + job.path("failure"));
      }
    }
  }

  private static String request(DataFile data, String format) {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.put("name", "bench").put("data", data.text()).put("dataset", data.name());
    body.put("layers", "all").put("format", format).put("train", "0-" + (ITEMS - 1));
    return body.toString();
  }

  /** Random checkpoints have no chat template. */
  private static String format(Path model) throws IOException {
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      tokenizer.chatTemplate();
      return "chat";
    } catch (IllegalStateException e) {
      return "plain";
    }
  }

  private static SystemPlan plan(Setting setting, Path folder) {
    return SystemPlan.embedded(setting.model(), MODEL, "float32", folder, Map.of());
  }
}
