package io.lensflow.bench.classical;

import io.lensflow.bench.Benchmark;
import io.lensflow.bench.Setting;
import io.lensflow.bench.classical.MemoryProbe.Way;
import io.lensflow.bench.figure.Bound;
import io.lensflow.bench.figure.Definition;
import io.lensflow.bench.figure.Figure;
import io.lensflow.bench.figure.Finding;
import io.lensflow.bench.limit.WorkSize;
import io.lensflow.bench.process.ChildJvm;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.checkpoint.CheckpointConfig;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.model.ModelConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Activation memory of the classical loop, which keeps every step's hidden states, ÷ that of
 * generating with a cache and a deferred lens. Each way runs in processes of its own; what a way
 * took is its peak of resident memory less what a process holds that has loaded the same model and
 * generates nothing. So keys, values, rows that wait, the lens' scratch, the heap's garbage and
 * what the native library makes on first use all count.
 *
 * <p>The formula: the classical loop keeps L·D values per token of every step, over G steps of P to
 * P+G−1 tokens; the cache holds 2·L·K·E values per token, once; the lens' scratch is constant.
 */
public final class ClassicalMemory implements Benchmark {
  private static final int PROMPT_TOKENS = 64;
  private static final int LONG = 1500;
  private static final String HEAP = "192m";
  private static final double LIMIT = 7;

  /**
   * oneDNN keeps code for each of the last 1,024 shapes; the loop has another one at every step.
   * That is no activation memory, so only as many are kept as a step has.
   */
  private static final Map<String, String> ENVIRONMENT =
      Map.of("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16");

  private static final Definition DEFINITION =
      new Definition(
          "classical-loop-memory",
          "activation memory of the classical loop ÷ with a deferred lens, 64 + 256 tokens",
          Bound.atLeast(LIMIT, Double.NaN));

  private final List<Integer> newTokens;

  /**
   * @param newTokens counts of new tokens at which memory is taken, ascending; the figure is that
   *     of the last
   */
  public ClassicalMemory(List<Integer> newTokens) {
    this.newTokens = List.copyOf(newTokens);
  }

  @Override
  public List<Definition> definitions() {
    return List.of(DEFINITION);
  }

  @Override
  public List<Finding> measure(Setting setting) throws Exception {
    List<Map<String, Double>> classical = new ArrayList<>();
    List<Map<String, Double>> system = new ArrayList<>();
    for (int round = 0; round < setting.comparison().rounds(); round++) {
      setting
          .progress()
          .accept("  round %d of %d".formatted(round + 1, setting.comparison().rounds()));
      double idle = probe(setting, Way.IDLE).get("resident");
      classical.add(less(idle, probe(setting, Way.CLASSICAL)));
      system.add(less(idle, probe(setting, Way.SYSTEM)));
    }
    Formula formula = formula(setting);
    List<Double> samples = ratios(classical, system, last());
    String measured =
        newTokens.stream()
            .map(
                tokens ->
                    String.format(
                        Locale.ROOT,
                        "%d: %.0f ÷ %.0f MB = %.1f (formula %.0f ÷ %.0f)",
                        tokens,
                        median(classical, tokens) / 1e6,
                        median(system, tokens) / 1e6,
                        Figure.median(ratios(classical, system, tokens)),
                        formula.classical(tokens) / 1e6,
                        formula.system(tokens) / 1e6))
            .collect(Collectors.joining("; "));
    String says =
        String.format(
            Locale.ROOT,
            "New tokens %s; %d by the formula: %.1f GB ÷ %.0f MB = %.0f.",
            measured,
            LONG,
            formula.classical(LONG) / 1e9,
            formula.system(LONG) / 1e6,
            formula.classical(LONG) / formula.system(LONG));
    return List.of(
        new Finding(
            Figure.ofSamples(DEFINITION.name(), "ratio", samples), DEFINITION.bound(), says));
  }

  private int last() {
    return newTokens.get(newTokens.size() - 1);
  }

  private Map<String, Double> probe(Setting setting, Way way) throws Exception {
    List<String> arguments =
        Stream.concat(
                Stream.of(way.name(), setting.model().toString(), String.valueOf(PROMPT_TOKENS)),
                newTokens.stream().map(String::valueOf))
            .toList();
    return ChildJvm.run(HEAP, ENVIRONMENT, MemoryProbe.class, arguments);
  }

  private static Map<String, Double> less(double idle, Map<String, Double> values) {
    return values.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue() - idle));
  }

  private static double median(List<Map<String, Double>> rounds, int tokens) {
    return Figure.median(
        rounds.stream().map(values -> values.get(String.valueOf(tokens))).toList());
  }

  private static List<Double> ratios(
      List<Map<String, Double>> above, List<Map<String, Double>> below, int tokens) {
    String key = String.valueOf(tokens);
    List<Double> ratios = new ArrayList<>();
    for (int round = 0; round < above.size(); round++) {
      ratios.add(above.get(round).get(key) / below.get(round).get(key));
    }
    return ratios;
  }

  private static Formula formula(Setting setting) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(setting.model())) {
      CheckpointConfig config = checkpoint.config();
      return new Formula(new WorkSize(config.model(), config.storage()));
    }
  }

  /** What either way should take. */
  record Formula(WorkSize size) {
    /** Bytes of all hidden states of all steps. */
    double classical(int newTokens) {
      ModelConfig config = size.config();
      double tokens = newTokens * (PROMPT_TOKENS + (newTokens - 1) / 2.0);
      return tokens * config.layers() * config.hiddenSize() * size.dtype().bytes();
    }

    /** Bytes of the cache, of a batch of rows that waits for the lens, and of its scratch. */
    double system(int newTokens) {
      ModelConfig config = size.config();
      LensHeadOptions lens = LensHeadOptions.defaults();
      double waiting =
          (double) Math.max(lens.rowBlock(), PROMPT_TOKENS * config.layers())
              * config.hiddenSize()
              * size.dtype().bytes();
      double scratch =
          (double) Float.BYTES
              * lens.threads()
              * lens.columnBlock()
              * (config.hiddenSize() + lens.rowBlock());
      return size.keyValueBytes(PROMPT_TOKENS + newTokens - 1L) + waiting + scratch;
    }
  }
}
