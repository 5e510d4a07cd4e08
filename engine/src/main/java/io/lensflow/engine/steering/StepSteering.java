package io.lensflow.engine.steering;

import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The steering of one step: for each layer, which operation changes which of the step's rows, in
 * the order in which each sequence lists them.
 *
 * <p>Filled by one thread, then read by all ranks.
 */
public final class StepSteering {
  /** What the kernel is told about one operation: hook point, operation, whether to keep norms. */
  private static final int FIELDS = 3;

  private final Map<Integer, List<Edit>> layers = new TreeMap<>();

  /** A step's operations, layer by layer, as kernels take them; see {@code transformer.py}. */
  public record Edits(
      Argument starts, Argument edits, Argument multipliers, Argument rows, Argument vectors)
      implements AutoCloseable {
    /** Changes nothing. */
    public static Edits none() {
      return new Edits(
          Argument.of(new long[0]),
          Argument.of(new long[0]),
          Argument.of(new double[0]),
          Argument.of(List.of()),
          Argument.of(List.of()));
    }

    @Override
    public void close() {
      starts.close();
      edits.close();
      multipliers.close();
      rows.close();
      vectors.close();
    }
  }

  private record Edit(SteeringSite site, long[] rows) {}

  /**
   * Adds a sequence's steering.
   *
   * @param firstRow the sequence's first row in the step
   * @param firstPosition the absolute position of that row
   * @param count T, its rows in the step
   */
  public void add(
      List<SteeringSite> sites, int promptLength, int firstRow, int firstPosition, int count) {
    for (SteeringSite site : sites) {
      if (site.multiplier() == 0 && site.operation() != SteeringOperation.PROJECT_TO) {
        continue;
      }
      long[] rows = new long[count];
      int size = 0;
      for (int i = 0; i < count; i++) {
        if (site.positions().selects(firstPosition + i, promptLength)) {
          rows[size++] = firstRow + i;
        }
      }
      if (size > 0) {
        layers
            .computeIfAbsent(site.layer(), layer -> new ArrayList<>())
            .add(new Edit(site, Arrays.copyOf(rows, size)));
      }
    }
  }

  /** Whether no row is steered. */
  public boolean isEmpty() {
    return layers.isEmpty();
  }

  /**
   * Everything that was added, on a rank's device. Closed by the caller.
   *
   * @param layerCount L
   */
  public Edits edits(TensorKernels tensors, int rank, int layerCount) {
    List<Edit> all = new ArrayList<>();
    long[] starts = new long[layerCount + 1];
    for (int layer = 0; layer < layerCount; layer++) {
      all.addAll(layers.getOrDefault(layer, List.of()));
      starts[layer + 1] = all.size();
    }
    long[] codes = new long[FIELDS * all.size()];
    double[] multipliers = new double[all.size()];
    List<Tensor> rows = new ArrayList<>();
    List<Tensor> vectors = new ArrayList<>();
    try {
      for (int i = 0; i < all.size(); i++) {
        SteeringSite site = all.get(i).site();
        codes[FIELDS * i] = site.hookPoint().ordinal();
        codes[FIELDS * i + 1] = site.operation().ordinal();
        codes[FIELDS * i + 2] = site.preserveNorm() ? 1 : 0;
        multipliers[i] = site.multiplier();
        rows.add(tensors.integers(all.get(i).rows()));
        vectors.add(((DeviceVector) site.vector()).tensor(rank));
      }
      return new Edits(
          Argument.of(starts),
          Argument.of(codes),
          Argument.of(multipliers),
          Argument.of(rows),
          Argument.of(vectors));
    } finally {
      rows.forEach(Tensor::close);
    }
  }

  /**
   * Checks a sequence's steering against the model.
   *
   * @throws IllegalArgumentException if a site does not fit; names the site and the fix
   * @throws IllegalStateException if a vector is closed
   */
  public static void check(List<SteeringSite> sites, int layerCount, int hiddenSize) {
    for (int i = 0; i < sites.size(); i++) {
      SteeringSite site = sites.get(i);
      String name = "steering[%d]".formatted(i);
      if (site.layer() < 0 || site.layer() >= layerCount) {
        throw new IllegalArgumentException(
            "%s: there is no layer %d; this model has layers 0 … %d"
                .formatted(name, site.layer(), layerCount - 1));
      }
      if (!Float.isFinite(site.multiplier())) {
        throw new IllegalArgumentException(name + ": the multiplier is " + site.multiplier());
      }
      if (!(site.vector() instanceof DeviceVector) || site.vector().length() != hiddenSize) {
        throw new IllegalArgumentException(
            "%s: the vector was not prepared by an engine of hidden size %d"
                .formatted(name, hiddenSize));
      }
      if (((DeviceVector) site.vector()).isClosed()) {
        throw new IllegalStateException(name + ": the vector is closed");
      }
      if (site.operation() != SteeringOperation.ADD && site.vector().norm() == 0) {
        throw new IllegalArgumentException(
            "%s: %s needs a direction, but the vector is zero".formatted(name, site.operation()));
      }
    }
  }
}
