package io.lensflow.engine.lens.fit;

import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntConsumer;

/**
 * Compares lenses with the model on rows that they were not learned from. Everything is computed on
 * the exact path of the head, the model's distribution from its own last rows. Not thread-safe.
 */
public final class HeldOutReport implements AutoCloseable {
  /** Rows of a batch; the model's distributions are shared by all layers within one. */
  private static final int BATCH_ROWS = 1024;

  private static final LensMetrics METRICS =
      new LensMetrics(1, false, false, 0, true, false, LensAccuracy.EXACT);
  private static final LensMetrics TOP =
      new LensMetrics(1, false, false, 0, false, false, LensAccuracy.EXACT);

  private final LensHead head;
  private final LensTranslator fitted;
  private final Map<Integer, FittedLayer> layers;
  private final TensorKernels tensors = new TensorKernels();
  private final FitKernels kernels = new FitKernels();
  private final Map<Integer, Sums> sums = new TreeMap<>();

  private static final class Sums {
    private final LensScore.Sum plain = new LensScore.Sum();
    private final LensScore.Sum fitted = new LensScore.Sum();
    private final LensScore.Sum biasOnly = new LensScore.Sum();
    private final LensScore.Sum unigram = new LensScore.Sum();
  }

  /**
   * Held-out rows at the same positions, with what the unigram lens says there.
   *
   * @param rows rows and the model's own
   * @param unigramKl [n], KL(model ‖ unigram)
   */
  public record Sample(PairedRows rows, float[] unigramKl) {}

  /**
   * @param head the model's; not closed here
   * @param fitted the translator as users will load it; not closed here
   * @param layers its layers, for their biases; not closed here
   */
  public HeldOutReport(LensHead head, LensTranslator fitted, Map<Integer, FittedLayer> layers) {
    this.head = head;
    this.fitted = fitted;
    this.layers = layers;
  }

  /**
   * Compares.
   *
   * @param samples held-out rows
   * @param unigramTop the token that the unigram lens always says
   * @param progress told how many of the samples are done
   * @return by rising layer, those that have a translator and held-out rows
   */
  public List<LayerReport> compare(List<Sample> samples, int unigramTop, IntConsumer progress) {
    List<Sample> batch = new ArrayList<>();
    int rows = 0;
    for (int i = 0; i < samples.size(); i++) {
      Sample sample = samples.get(i);
      if (!batch.isEmpty() && batch.get(0).rows().dtype() != sample.rows().dtype()) {
        compareBatch(batch, unigramTop);
        rows = 0;
      }
      batch.add(sample);
      rows += sample.rows().n() * sample.rows().rows().size();
      if (rows >= BATCH_ROWS || i == samples.size() - 1) {
        compareBatch(batch, unigramTop);
        rows = 0;
        progress.accept(i + 1);
      }
    }
    List<LayerReport> reports = new ArrayList<>();
    sums.forEach(
        (layer, sum) ->
            reports.add(
                new LayerReport(
                    layer,
                    sum.plain.rows(),
                    sum.plain.mean(),
                    sum.fitted.mean(),
                    sum.biasOnly.mean(),
                    sum.unigram.mean())));
    return reports;
  }

  private void compareBatch(List<Sample> samples, int unigramTop) {
    DType dtype = samples.get(0).rows().dtype();
    Gathered batch = gather(samples, dtype);
    samples.clear();
    if (batch.n == 0) {
      return;
    }
    LensBatch rows =
        LensBatch.of(batch.rows, dtype, batch.n)
            .withLayers(batch.layers)
            .withFinalRows(batch.finalRows, batch.finalRowOf);
    int[] model = head.decode(LensBatch.of(batch.finalRows, dtype, batch.finals), TOP).topIds();
    LensRows plain = head.decode(rows, METRICS);
    LensRows translated = head.decode(rows, METRICS, fitted);
    LensRows shifted = biasOnly(batch, dtype);
    for (int row = 0; row < batch.n; row++) {
      Sums layer = sums.computeIfAbsent(batch.layers[row], key -> new Sums());
      int top = model[batch.finalRowOf[row]];
      layer.plain.add(plain.kl()[row], plain.topIds()[row] == top);
      layer.fitted.add(translated.kl()[row], translated.topIds()[row] == top);
      layer.biasOnly.add(shifted.kl()[row], shifted.topIds()[row] == top);
      layer.unigram.add(batch.unigramKl[batch.finalRowOf[row]], unigramTop == top);
    }
  }

  private LensRows biasOnly(Gathered batch, DType dtype) {
    int d = head.config().hiddenSize();
    try (Tensor shifted = tensors.empty(DType.FLOAT32, batch.n, d);
        Tensor finals = tensors.empty(DType.FLOAT32, batch.finals, d);
        Tensor raw = tensors.empty(dtype, batch.n, d);
        Tensor rawFinals = tensors.empty(dtype, batch.finals, d)) {
      raw.bytes().put(batch.rows.duplicate());
      rawFinals.bytes().put(batch.finalRows.duplicate());
      tensors.copy(finals, rawFinals);
      for (int from = 0; from < batch.n; ) {
        int to = from + 1;
        while (to < batch.n && batch.layers[to] == batch.layers[from]) {
          to++;
        }
        try (Tensor rows = tensors.rows(raw, from, to - from);
            Tensor target = tensors.rows(shifted, from, to - from);
            Tensor moved = kernels.shifted(rows, layers.get(batch.layers[from]).meanDistance())) {
          tensors.copy(target, moved);
        }
        from = to;
      }
      return head.decode(
          LensBatch.of(shifted.bytes(), DType.FLOAT32, batch.n)
              .withFinalRows(finals.bytes(), batch.finalRowOf),
          METRICS);
    }
  }

  /** Rows of several samples in one piece, those of a layer and sample beside each other. */
  private record Gathered(
      int n,
      int finals,
      ByteBuffer rows,
      int[] layers,
      ByteBuffer finalRows,
      int[] finalRowOf,
      float[] unigramKl) {}

  private Gathered gather(List<Sample> samples, DType dtype) {
    int n = 0;
    int finals = 0;
    for (Sample sample : samples) {
      n += sample.rows().n() * (int) fittedLayers(sample.rows());
      finals += sample.rows().n();
    }
    int size = head.config().hiddenSize() * dtype.bytes();
    ByteBuffer rows = direct(n * size);
    ByteBuffer finalRows = direct(finals * size);
    int[] layerOf = new int[n];
    int[] finalRowOf = new int[n];
    float[] unigramKl = new float[finals];
    int at = 0;
    int base = 0;
    for (Sample sample : samples) {
      int count = sample.rows().n();
      for (Map.Entry<Integer, ByteBuffer> layer : sample.rows().rows().entrySet()) {
        if (layers.containsKey(layer.getKey())) {
          rows.put(layer.getValue().duplicate());
          for (int i = 0; i < count; i++) {
            layerOf[at] = layer.getKey();
            finalRowOf[at++] = base + i;
          }
        }
      }
      finalRows.put(sample.rows().finalRows().duplicate());
      System.arraycopy(sample.unigramKl(), 0, unigramKl, base, count);
      base += count;
    }
    return new Gathered(n, finals, rows.flip(), layerOf, finalRows.flip(), finalRowOf, unigramKl);
  }

  private long fittedLayers(PairedRows rows) {
    return rows.rows().keySet().stream().filter(layers::containsKey).count();
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() {
    kernels.close();
    tensors.close();
  }
}
