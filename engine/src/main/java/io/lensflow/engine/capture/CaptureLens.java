package io.lensflow.engine.capture;

import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.SafetensorsWriter;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTargets;
import io.lensflow.engine.lens.LensTranslator;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Decodes captured rows and adds what the lens says to a file: {@code lens.<hook point>.<metric>},
 * [layers, N] or, of the top tokens, [layers, N, k]. A row's target is the token that came next;
 * the last row of a prompt without generation has none, its logit and log-probability are NaN and
 * its rank is 0.
 *
 * <p>Immutable.
 */
final class CaptureLens {
  private static final List<String> METRICS =
      List.of("top_k", "entropy", "log_sum_exp", "targets", "kl", "js");

  private final CaptureLensOptions options;
  private final List<HookPoint> hookPoints;
  private final LensMetrics metrics;

  /**
   * @throws IllegalArgumentException if an option is wrong; names it and the fix
   */
  CaptureLens(CaptureLensOptions options) {
    this.options = options;
    this.hookPoints = HookPointList.parse("--lens", options.hookPoints());
    List<String> wanted = metrics(options.metrics());
    if (options.topK() < 1) {
      throw new IllegalArgumentException(
          "--top-k is %d; it must be at least 1".formatted(options.topK()));
    }
    this.metrics =
        new LensMetrics(
            wanted.contains("top_k") ? options.topK() : 0,
            wanted.contains("entropy"),
            wanted.contains("log_sum_exp"),
            wanted.contains("targets") ? 1 : 0,
            wanted.contains("kl"),
            wanted.contains("js"),
            accuracy(options.accuracy()));
  }

  private static List<String> metrics(String spec) {
    if (spec.strip().equalsIgnoreCase("all")) {
      return METRICS;
    }
    List<String> wanted =
        Arrays.stream(spec.split(",", -1))
            .map(name -> name.strip().toLowerCase(Locale.ROOT))
            .toList();
    for (String name : wanted) {
      if (!METRICS.contains(name)) {
        throw new IllegalArgumentException(
            "--metrics: '%s' is none; use all or a list of %s".formatted(name, METRICS));
      }
    }
    return wanted;
  }

  private static LensAccuracy accuracy(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "fast" -> LensAccuracy.FAST;
      case "exact" -> LensAccuracy.EXACT;
      default ->
          throw new IllegalArgumentException(
              "--accuracy '%s' is unknown; use fast or exact".formatted(name));
    };
  }

  CaptureLensOptions options() {
    return options;
  }

  /** Whose rows are decoded. */
  List<HookPoint> hookPoints() {
    return hookPoints;
  }

  /** Whether the model's own rows have to be captured, too. */
  boolean needsModel() {
    return metrics.needsModel();
  }

  /** What belongs to the rows of every hook point. */
  record Rows(DType dtype, List<Integer> layers, int positions, int[] targets, ByteBuffer finals) {}

  /**
   * Decodes the rows of one hook point.
   *
   * @param values [layers, N, D]
   * @param translator null for none
   */
  void write(
      HookPoint point,
      ByteBuffer values,
      Rows rows,
      LensHead head,
      LensTranslator translator,
      SafetensorsWriter writer) {
    int n = rows.layers().size() * rows.positions();
    int[] position = IntStream.range(0, n).map(row -> row % rows.positions()).toArray();
    LensBatch batch =
        LensBatch.of(values, rows.dtype(), n)
            .withLayers(
                IntStream.range(0, n)
                    .map(row -> rows.layers().get(row / rows.positions()))
                    .toArray())
            .withTargets(Arrays.stream(position).map(at -> rows.targets()[at]).toArray());
    if (needsModel()) {
      batch = batch.withFinalRows(rows.finals(), position);
    }
    add(head.decode(batch, metrics, translator), point, rows, writer);
  }

  private void add(LensRows decoded, HookPoint point, Rows rows, SafetensorsWriter writer) {
    String prefix = "lens." + point.fileName() + ".";
    long[] each = {rows.layers().size(), rows.positions()};
    if (decoded.topIds() != null) {
      long[] top = {each[0], each[1], decoded.k()};
      writer.add(prefix + "top_ids", "I64", top, integers(decoded.topIds()));
      writer.add(prefix + "top_logits", "F32", top, floats(decoded.topLogits()));
      writer.add(prefix + "top_probs", "F32", top, floats(decoded.topProbabilities()));
    }
    LensTargets targets = decoded.targets();
    if (targets != null) {
      writer.add(prefix + "target_logit", "F32", each, floats(targets.logits()));
      writer.add(prefix + "target_logprob", "F32", each, floats(targets.logProbabilities()));
      writer.add(prefix + "target_rank", "I64", each, integers(targets.ranks()));
    }
    addIfAsked(prefix + "entropy", each, decoded.entropy(), writer);
    addIfAsked(prefix + "log_sum_exp", each, decoded.logSumExp(), writer);
    addIfAsked(prefix + "kl", each, decoded.kl(), writer);
    addIfAsked(prefix + "js", each, decoded.js(), writer);
  }

  private static void addIfAsked(
      String name, long[] shape, float[] values, SafetensorsWriter writer) {
    if (values != null) {
      writer.add(name, "F32", shape, floats(values));
    }
  }

  private static List<ByteBuffer> floats(float[] values) {
    return List.of(CaptureRun.bytes(values));
  }

  private static List<ByteBuffer> integers(int[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(Long.BYTES, values.length))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.putLong(value);
    }
    return List.of(bytes.flip());
  }
}
