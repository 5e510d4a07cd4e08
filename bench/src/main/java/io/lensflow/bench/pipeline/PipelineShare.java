package io.lensflow.bench.pipeline;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.lens.RandomRows;
import io.lensflow.bench.timing.Timed;
import io.lensflow.bench.timing.Timings;
import io.lensflow.bench.workload.Decoding;
import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import io.lensflow.client.follow.SettledEvent;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.StartingPoint;
import io.lensflow.client.follow.Subscription;
import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.records.LensRequest;
import io.lensflow.records.Prompt;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.ids.Ids;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Tokens/s of the whole system over Kafka, all layers of all rows captured and decoded, ÷ tokens/s
 * of the engine alone, 16 sequences each. Broker (a child JVM), registry, worker, decoder, steering
 * service, gateway and a client that follows all results share the machine's cores; the system
 * idles while the engine alone is timed. A round of the system begins with the first request sent
 * and ends with the last result settled.
 */
public final class PipelineShare implements Benchmark {
  private static final int BATCH = 16;
  private static final int PROMPT_TOKENS = 16;
  private static final int NEW_TOKENS = 64;
  private static final int TOP_K = 5;

  /** Rows of a decoder's full batch, as it is configured by default. */
  private static final int LENS_ROWS = 256;

  private static final String MODEL = "bench";
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Definition DEFINITION =
      new Definition(
          "pipeline-share-b16",
          "tokens/s of the whole system over Kafka, all layers decoded ÷ the engine alone, batch 16",
          Bound.aimingAt(0.6));

  @Override
  public List<Definition> definitions() {
    return List.of(DEFINITION);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    EngineOptions options =
        EngineOptions.defaults().withKvTokens(Decoding.kvTokens(BATCH, PROMPT_TOKENS + NEW_TOKENS));
    try (TemporaryFolder folder = new TemporaryFolder();
        LocalSystem system =
            new LocalSystem(plan(setting, folder.path()), setting.progress()::accept);
        Engine engine = EngineLoader.load(setting.model(), options);
        LensHead head = LensHead.load(setting.model(), LensHeadOptions.defaults())) {
      system.start();
      List<int[]> prompts = Decoding.prompts(engine, BATCH, PROMPT_TOKENS);
      try (SettledStream results =
          system.client().settled(Subscription.toAll(new StartingPoint.Latest()))) {
        results.next(Duration.ZERO);
        Timed whole = Timed.whole(() -> throughTheSystem(system, results, prompts));
        Timed alone = Timed.whole(() -> alone(engine, prompts));
        Timed lens = Timed.whole(() -> lensAlone(head));
        return List.of(finding(setting.comparison().alternate(whole, alone, lens)));
      }
    }
  }

  private static SystemPlan plan(Setting setting, Path folder) {
    return SystemPlan.embedded(
        setting.model(), MODEL, "", folder, Map.of("lensflow.worker.slots", BATCH));
  }

  private static Finding finding(Timings timings) {
    double tokens = (double) BATCH * NEW_TOKENS;
    Figure figure =
        Figure.ofSamples(
            DEFINITION.name(), "ratio", timings.samples(seconds -> seconds[1] / seconds[0]));
    double whole = timings.median(0);
    double alone = timings.median(1);
    double lens = timings.median(2);
    String says =
        String.format(
            Locale.ROOT,
            "%.0f tokens/s over Kafka with every row of every layer decoded and settled, %.0f the engine alone. Of"
                + " %.2f s generation takes %.2f s and the lens of these rows %.2f s when alone; %.2f s are all the rest:"
                + " chunks, broker, results, client, waiting. More than %.2f needs a faster lens.",
            tokens / whole,
            tokens / alone,
            whole,
            alone,
            lens,
            whole - alone - lens,
            alone / (alone + lens));
    return new Finding(figure, DEFINITION.bound(), says);
  }

  private static void alone(Engine engine, List<int[]> prompts) {
    try (Decoding decoding =
        new Decoding(engine, prompts, NEW_TOKENS - 1, CapturePlan.NONE, Decoding.Observer.NONE)) {
      decoding.prefill();
      decoding.steps(NEW_TOKENS - 1);
    }
  }

  /** As many rows through the lens as all requests have, in the decoder's batches, on its path. */
  private static void lensAlone(LensHead head) {
    int rows = BATCH * (PROMPT_TOKENS + NEW_TOKENS - 1) * head.config().layers();
    ByteBuffer batch = RandomRows.of(LENS_ROWS, head.config().hiddenSize());
    for (int at = 0; at < rows; at += LENS_ROWS) {
      head.decode(
          LensBatch.of(batch, DType.FLOAT32, Math.min(LENS_ROWS, rows - at)),
          LensMetrics.summary(TOP_K).withAccuracy(LensAccuracy.FAST));
    }
  }

  /** Sends all requests and reads results until the last is settled. */
  private static void throughTheSystem(
      LocalSystem system, SettledStream results, List<int[]> prompts) {
    Set<String> open =
        prompts.stream()
            .map(ids -> system.client().submit(request(ids)).requestId())
            .collect(Collectors.toSet());
    while (!open.isEmpty()) {
      SettledEvent event = results.await(PATIENCE);
      if (event instanceof SettledEvent.Abandoned given) {
        throw new CommandFailure("a request was given up: " + given.reason());
      }
      if (event instanceof SettledEvent.Lost) {
        throw new CommandFailure("rows of request " + event.requestId() + " were lost");
      }
      if (event instanceof SettledEvent.Complete complete) {
        if (complete.terminal().getFinished() == null) {
          throw new CommandFailure("a request did not finish: " + complete.terminal());
        }
        open.remove(event.requestId());
      }
    }
  }

  private static PromptRequest request(int[] ids) {
    return PromptRequest.newBuilder()
        .setRequestId(Ids.newId())
        .setModel(MODEL)
        .setPrompt(Prompt.newBuilder().setTokenIds(Arrays.stream(ids).boxed().toList()).build())
        .setMaxNewTokens(NEW_TOKENS)
        .setIgnoreEos(true)
        .setLenses(List.of(LensRequest.newBuilder().build()))
        .build();
  }
}
