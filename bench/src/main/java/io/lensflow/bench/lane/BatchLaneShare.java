package io.lensflow.bench.lane;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.workload.TemporaryFolder;
import io.lensflow.cli.system.LocalSystem;
import io.lensflow.cli.system.SystemPlan;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What interactive requests keep of their speed while builds run: their tokens/s while the batch
 * lane is full of requests such as a build sends ÷ with it empty, for one request at a time and for
 * {@value #MANY}. Stretches of both kinds take turns. Broker, registry, all services and the client
 * share the machine's cores, so that what the batch lane costs outside of the engine counts, too;
 * all settings are those of a worker by default.
 */
public final class BatchLaneShare implements Benchmark {
  private static final int MANY = 4;
  private static final Duration STRETCH = Duration.ofSeconds(10);
  private static final String MODEL = "bench";

  private static final List<Integer> PEOPLE = List.of(1, MANY);
  private static final List<Definition> DEFINITIONS =
      PEOPLE.stream()
          .map(
              people ->
                  new Definition(
                      "batch-lane-share-b" + people,
                      "tokens/s of %d interactive request%s with the batch lane full ÷ empty"
                          .formatted(people, people == 1 ? "" : "s"),
                      Bound.atLeast(0.8, Double.NaN)))
          .toList();

  @Override
  public List<Definition> definitions() {
    return DEFINITIONS;
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    try (TemporaryFolder folder = new TemporaryFolder();
        LocalSystem system =
            new LocalSystem(plan(setting, folder.path()), setting.progress()::accept)) {
      system.start();
      List<Finding> findings = new ArrayList<>();
      try (LaneLoad load = new LaneLoad(system.client(), MODEL)) {
        for (int i = 0; i < PEOPLE.size(); i++) {
          load.people(PEOPLE.get(i));
          findings.add(finding(DEFINITIONS.get(i), load, setting));
        }
      }
      return findings;
    }
  }

  private static Finding finding(Definition definition, LaneLoad load, Setting setting) {
    List<Double> shares = new ArrayList<>();
    List<Double> full = new ArrayList<>();
    List<Double> empty = new ArrayList<>();
    List<Double> batch = new ArrayList<>();
    // The first round warms up.
    for (int round = 0; round <= setting.comparison().rounds(); round++) {
      LaneLoad.Speed alone = load.run(STRETCH);
      load.fillBatchLane();
      LaneLoad.Speed beside = load.run(STRETCH);
      load.emptyBatchLane();
      setting
          .progress()
          .accept(
              String.format(
                  Locale.ROOT,
                  "%s: %.1f tokens/s alone, %.1f beside",
                  definition.name(),
                  alone.tokens(),
                  beside.tokens()));
      if (round > 0) {
        shares.add(beside.tokens() / alone.tokens());
        full.add(beside.tokens());
        empty.add(alone.tokens());
        batch.add(beside.batchRequests());
      }
    }
    return new Finding(
        Figure.ofSamples(definition.name(), "ratio", shares),
        definition.bound(),
        String.format(
            Locale.ROOT,
            "%.0f tokens/s alone, %.0f beside a full batch lane, which gets %.2f requests of 150 tokens/s done meanwhile.",
            Figure.median(empty),
            Figure.median(full),
            Figure.median(batch)));
  }

  private static SystemPlan plan(Setting setting, Path folder) {
    return SystemPlan.embedded(setting.model(), MODEL, "", folder, Map.of());
  }
}
