package io.lensflow.bench.load;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.limit.WorkSize;
import io.lensflow.bench.process.ChildJvm;
import io.lensflow.engine.checkpoint.Checkpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What loading takes, each time in a process of its own: seconds per GB of safetensors, beside
 * seconds for only reading the same files in the same process; and the peak of resident memory less
 * the weights as they are held.
 */
public final class LoadFigures implements Benchmark {
  private static final String HEAP = "256m";
  private static final double MB = 1e6;
  private static final double GB = 1e9;

  /** What a process may hold beside weights and the tensor in hand: JVM, libraries, buffers. */
  private static final double ALLOWED_BESIDE_MB = 500;

  private static final Definition SECONDS =
      new Definition(
          "load-seconds-per-gb", "seconds to load a checkpoint ÷ its size in GB", Bound.NONE);
  private static final Definition PEAK =
      new Definition(
          "load-peak-over-weights-mb",
          "peak resident MB while loading − weights as held (≤ the largest tensor + 500)",
          Bound.NONE);

  @Override
  public List<Definition> definitions() {
    return List.of(SECONDS, PEAK);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    List<Map<String, Double>> rounds = new ArrayList<>();
    for (int round = 0; round <= setting.comparison().rounds(); round++) {
      Map<String, Double> values =
          ChildJvm.run(HEAP, Map.of(), LoadProbe.class, List.of(setting.model().toString()));
      if (round > 0) { // the first filled the system's cache of files
        rounds.add(values);
      }
    }
    WorkSize size = size(setting);
    Figure seconds =
        Figure.ofSamples(
            SECONDS.name(), "s/GB", samples(rounds, v -> v.get("load") / v.get("bytes") * GB));
    Figure peak =
        Figure.ofSamples(
            PEAK.name(), "MB", samples(rounds, v -> (v.get("peak") - v.get("held")) / MB));
    double largest = size.largestTensorBytes() / MB;
    return List.of(
        new Finding(
            seconds,
            SECONDS.bound(),
            String.format(
                Locale.ROOT,
                "%.2f GB load in %.2f s; only reading the files takes %.2f s, from the system's cache.",
                median(rounds, "bytes") / GB,
                median(rounds, "load"),
                median(rounds, "read"))),
        new Finding(
            peak,
            Bound.atMost(largest + ALLOWED_BESIDE_MB),
            String.format(
                Locale.ROOT,
                "Peak %.0f MB, %.0f before and %.0f after loading; weights as held: %.0f MB, packed and plain copies"
                    + " both; largest tensor %.0f MB.",
                median(rounds, "peak") / MB,
                median(rounds, "before") / MB,
                median(rounds, "after") / MB,
                median(rounds, "held") / MB,
                largest)));
  }

  private static WorkSize size(Setting setting) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(setting.model())) {
      return new WorkSize(checkpoint.config().model(), checkpoint.config().storage());
    }
  }

  private static List<Double> samples(
      List<Map<String, Double>> rounds, ToDoubleFunction<Map<String, Double>> of) {
    return rounds.stream().map(of::applyAsDouble).toList();
  }

  private static double median(List<Map<String, Double>> rounds, String name) {
    return Figure.median(samples(rounds, values -> values.get(name)));
  }
}
