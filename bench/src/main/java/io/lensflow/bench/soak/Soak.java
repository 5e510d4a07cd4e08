package io.lensflow.bench.soak;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lensflow.bench.soak.Target.Role;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.service.KafkaClients;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One soak run, from an empty folder to a verdict: start, send and strike, wait for the end of
 * everything, copy the topics, run the engine alone, judge. Used by one thread.
 */
public final class Soak {
  private static final Duration DRAIN_LIMIT = Duration.ofMinutes(3);

  private final SoakSettings settings;
  private final Consumer<String> progress;
  private final long begin = System.nanoTime();

  /**
   * @param progress hears what goes on, a line at a time, each with the time since now
   */
  public Soak(SoakSettings settings, Consumer<String> progress) {
    this.settings = settings;
    this.progress = progress;
  }

  private void say(String line) {
    progress.accept("%6.1f s  %s".formatted((System.nanoTime() - begin) / 1e9, line));
  }

  /**
   * What came of it.
   *
   * @param faults how many struck, by kind and role
   * @param endedByThemselves how often services ended though nobody struck them
   * @param counts what the checker counted
   * @param problems what it found wrong, a sentence each, the first of them; empty if all holds
   */
  public record Verdict(
      Map<String, Integer> faults, int endedByThemselves, JsonNode counts, List<String> problems) {
    /** Whether every request and row is accounted for. */
    public boolean holds() {
      return problems.isEmpty();
    }
  }

  /** Runs it to its end. */
  public Verdict run() throws Exception {
    Files.createDirectories(settings.folder());
    Checker checker = Checker.in(settings.folder(), settings.python());
    ModelConfig config = config();
    SoakVectors vectors = SoakVectors.of(settings.seed(), config.layers(), config.hiddenSize());
    Map<String, Integer> struck;
    int endedByThemselves;
    say("starting broker, registry, two workers and two decoders…");
    try (Deployment deployment = Deployment.start(settings)) {
      vectors.publish(deployment.kafka(), Deployment.MODEL);
      deployment.startServices();
      KafkaClients clients = new KafkaClients(deployment.kafka());
      try (SentLog sent = new SentLog(settings.folder().resolve("sent.jsonl"))) {
        struck = sendAndStrike(deployment, clients, sent, config, vectors);
        drain(deployment, clients, sent);
      }
      endedByThemselves = deployment.endedByThemselves();
      say("copying the topics…");
      checker.record(
          deployment.kafka().bootstrapServers(), deployment.kafka().schemaRegistry().toString());
    }
    say("running the engine alone…");
    Path cases = checker.cases();
    try (EngineAlone engine = new EngineAlone(settings.model(), vectors)) {
      engine.run(cases, settings.folder().resolve("expected"));
    }
    say("judging…");
    Checker.Result result = checker.judge(settings.model());
    JsonNode counts =
        new ObjectMapper().readTree(settings.folder().resolve("summary.json").toFile());
    return new Verdict(struck, endedByThemselves, counts, result.output().lines().toList());
  }

  private ModelConfig config() throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(settings.model())) {
      return checkpoint.config().model();
    }
  }

  private Map<String, Integer> sendAndStrike(
      Deployment deployment,
      KafkaClients clients,
      SentLog sent,
      ModelConfig config,
      SoakVectors vectors)
      throws Exception {
    List<PlannedRequest> requests =
        RequestPlan.of(settings, Deployment.MODEL, config.layers(), vectors.names());
    List<Fault> plan = FaultPlan.of(settings.seed(), settings.duration(), settings.faults());
    say("sending %d records, striking %d times…".formatted(requests.size(), plan.size()));
    try (Sender sender = new Sender(clients, sent);
        Faults faults = new Faults(deployment, plan, this::say)) {
      sender.send(requests);
      faults.await();
      deployment.awaitReady();
      sender.awaitAcknowledged(settings.duration());
      return faults.struck();
    }
  }

  /** Workers stop before decoders are waited for, so that nothing new can come. */
  private void drain(Deployment deployment, KafkaClients clients, SentLog sent) throws Exception {
    say("waiting for the end of every request…");
    Ends ends = new Ends(clients, DRAIN_LIMIT);
    Set<String> open = ends.awaitEnds(sent.requests(), sent.broken());
    if (!open.isEmpty()) {
      say("%d records have no end after %s: %s".formatted(open.size(), DRAIN_LIMIT, open));
    }
    for (Target worker : Role.WORKER.targets()) {
      deployment.stop(worker);
    }
    long left = ends.awaitDecoded(Deployment.MODEL);
    if (left > 0) {
      say("the decoders have %d records left after %s".formatted(left, DRAIN_LIMIT));
    }
    for (Target decoder : Role.DECODER.targets()) {
      deployment.stop(decoder);
    }
  }

  /** The summary: what was done, what was counted, what was found. */
  public List<String> summary(Verdict verdict) {
    List<String> lines = new ArrayList<>();
    lines.add(line("seed", settings.seed()));
    lines.add(line("duration", settings.duration().toSeconds() + " s"));
    lines.add(line("faults", verdict.faults().values().stream().mapToInt(Integer::intValue).sum()));
    verdict.faults().forEach((kind, count) -> lines.add(line("  " + kind, count)));
    lines.add(line("services that ended by themselves", verdict.endedByThemselves()));
    add(lines, "", verdict.counts());
    return lines;
  }

  private static void add(List<String> lines, String indent, JsonNode counts) {
    for (Map.Entry<String, JsonNode> count : counts.properties()) {
      String name = indent + count.getKey();
      JsonNode value = count.getValue();
      if (value.isObject()) {
        lines.add(name);
        add(lines, indent + "  ", value);
      } else {
        lines.add(
            line(
                name,
                value.isFloatingPointNumber()
                    ? String.format(Locale.ROOT, "%.1e", value.doubleValue())
                    : value.asText()));
      }
    }
  }

  private static String line(String name, Object value) {
    return "%-50s %s".formatted(name, value);
  }
}
