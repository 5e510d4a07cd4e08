package io.lensflow.engine.lens.fit;

import io.lensflow.engine.DType;
import io.lensflow.engine.torch.KernelThread;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/**
 * Learns affine translators, one per layer, from a stream of rows that are seen once: for each
 * layer the ridge regression of y − x on x, where x is a row of the layer and y the last layer's
 * row at the same position. In the tuned lens's form (Belrose et al. 2023, "Eliciting Latent
 * Predictions from Transformers with the Tuned Lens") it predicts y ≈ x + W x + b; the penalty
 * λ‖W‖² draws W to zero, hence the translator to the identity with the best bias. λ is {@link
 * #RIDGE} times the mean diagonal of the centred XᵀX.
 *
 * <p>Only the sums XᵀX, XᵀY and those of X and Y are kept, so memory does not grow with the number
 * of rows: 2·D²·8 bytes a layer, and {@code 2·blockRows·D} elements of rows on their way. Products
 * are taken in float32 over a block of rows, counted from a point near the mean, and summed in
 * float64.
 *
 * <p>Not thread-safe; runs best always on the same thread.
 */
public final class TranslatorFit implements AutoCloseable {
  /** Ridge penalty in units of the mean diagonal of the centred XᵀX. */
  public static final double RIDGE = 1e-4;

  /** Rows of a block: enough for a product near its best speed, few enough to stay in cache. */
  private static final int BLOCK_ROWS = 256;

  private final int hiddenSize;
  private final int threads;
  private final TensorKernels tensors = new TensorKernels();
  private final FitKernels kernels = new FitKernels();
  private final Map<Integer, LayerSums> layers = new TreeMap<>();
  private final Tensor scratch;

  /**
   * @param hiddenSize D
   * @param threads threads that one operator spreads over
   */
  public TranslatorFit(int hiddenSize, int threads) {
    this.hiddenSize = hiddenSize;
    this.threads = threads;
    KernelThread.useThreads(threads);
    scratch = tensors.empty(DType.FLOAT32, hiddenSize, hiddenSize);
  }

  /** Bytes that a fit of so many layers holds when all of them have rows of 4 bytes an element. */
  public static long bytes(int layers, int hiddenSize) {
    long sums = 2L * hiddenSize * hiddenSize * Double.BYTES;
    long blocks = 2L * BLOCK_ROWS * hiddenSize * Float.BYTES;
    return layers * (sums + blocks);
  }

  /** Takes in rows of all layers that the block holds. */
  public void add(PairedRows block) {
    KernelThread.useThreads(threads);
    for (Map.Entry<Integer, ByteBuffer> layer : block.rows().entrySet()) {
      layers
          .computeIfAbsent(
              layer.getKey(), key -> new LayerSums(hiddenSize, BLOCK_ROWS, tensors, kernels))
          .add(layer.getValue(), block.finalRows(), block.dtype(), block.n(), scratch);
    }
  }

  /** Rows of a layer taken in so far. */
  public long rows(int layer) {
    LayerSums sums = layers.get(layer);
    return sums == null ? 0 : sums.rows();
  }

  /**
   * Solves for a layer and gives its sums' memory back. The caller closes the result.
   *
   * @throws IllegalStateException if the layer has no rows, or none that differ
   */
  public FittedLayer solve(int layer) {
    KernelThread.useThreads(threads);
    LayerSums sums = layers.remove(layer);
    if (sums == null) {
      throw new IllegalStateException("layer %d: there are no rows of it".formatted(layer));
    }
    try (sums) {
      return sums.solve(layer, RIDGE, scratch);
    }
  }

  /** Frees all native memory. Closing twice is harmless. */
  @Override
  public void close() {
    layers.values().forEach(LayerSums::close);
    layers.clear();
    scratch.close();
    kernels.close();
    tensors.close();
  }
}
