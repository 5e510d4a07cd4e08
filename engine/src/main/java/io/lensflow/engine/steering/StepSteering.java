package io.lensflow.engine.steering;

import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.torch.Argument;
import io.lensflow.engine.torch.Tensor;
import io.lensflow.engine.torch.TensorKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The steering of one step: for each layer, which operation changes which of the step's rows, in
 * the order in which each sequence lists them.
 *
 * <p>A batch in which every sequence adds a vector of its own would be as many operations a layer;
 * they are made one, over rows and multiplied vectors beside each other, where that leaves every
 * element's arithmetic as it is: additions to one row of a sequence each. So a row has the same
 * bits whoever runs beside it.
 *
 * <p>Filled by one thread, then read by all ranks.
 */
public final class StepSteering {
  /** What the kernel is told about one operation: which, and whether to keep norms. */
  private static final int FIELDS = 2;

  private static final int POINTS = HookPoint.values().length;

  private final int rowCount;
  private final Map<Integer, List<Edit>> layers = new TreeMap<>();

  /**
   * @param rowCount N, the step's rows
   */
  public StepSteering(int rowCount) {
    this.rowCount = rowCount;
  }

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

  /**
   * One operation of one sequence.
   *
   * @param ordinal how many operations the sequence lists before it at the same place
   */
  private record Edit(SteeringSite site, long[] rows, int ordinal) {
    boolean isSameAs(Edit other) {
      return site == other.site && ordinal == other.ordinal && Arrays.equals(rows, other.rows);
    }

    /** Whether it may be made together with others of its key. */
    boolean joins() {
      return rows.length == 1 && site.operation() == SteeringOperation.ADD && !site.preserveNorm();
    }
  }

  /** What operations have in common that are made together; no two are of one sequence. */
  private record Key(HookPoint hookPoint, int ordinal) {}

  /**
   * Adds a sequence's steering.
   *
   * @param firstRow the sequence's first row in the step
   * @param firstPosition the absolute position of that row
   * @param count T, its rows in the step
   */
  public void add(
      List<SteeringSite> sites, int promptLength, int firstRow, int firstPosition, int count) {
    Map<List<Object>, Integer> listed = new HashMap<>();
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
        List<Object> place = List.of(site.layer(), site.hookPoint());
        int ordinal = listed.merge(place, 1, Integer::sum) - 1;
        layers
            .computeIfAbsent(site.layer(), layer -> new ArrayList<>())
            .add(new Edit(site, Arrays.copyOf(rows, size), ordinal));
      }
    }
  }

  /** Whether another step, whose sites are the same objects, is steered in the same way. */
  public boolean isSameAs(StepSteering other) {
    if (rowCount != other.rowCount || !layers.keySet().equals(other.layers.keySet())) {
      return false;
    }
    for (Map.Entry<Integer, List<Edit>> entry : layers.entrySet()) {
      List<Edit> ours = entry.getValue();
      List<Edit> theirs = other.layers.get(entry.getKey());
      if (ours.size() != theirs.size()) {
        return false;
      }
      for (int i = 0; i < ours.size(); i++) {
        if (!ours.get(i).isSameAs(theirs.get(i))) {
          return false;
        }
      }
    }
    return true;
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
    List<List<Edit>> all = new ArrayList<>();
    long[] starts = new long[layerCount * POINTS + 1];
    for (int layer = 0; layer < layerCount; layer++) {
      List<List<Edit>> ofLayer = together(layers.getOrDefault(layer, List.of()));
      for (HookPoint point : HookPoint.values()) {
        ofLayer.stream().filter(one -> one.get(0).site().hookPoint() == point).forEach(all::add);
        starts[layer * POINTS + point.ordinal() + 1] = all.size();
      }
    }
    long[] codes = new long[FIELDS * all.size()];
    double[] multipliers = new double[all.size()];
    List<Tensor> rows = new ArrayList<>();
    List<Tensor> vectors = new ArrayList<>();
    List<Tensor> made = new ArrayList<>();
    long[] previous = null;
    try {
      for (int i = 0; i < all.size(); i++) {
        List<Edit> edits = all.get(i);
        SteeringSite site = edits.get(0).site();
        codes[FIELDS * i] = site.operation().ordinal();
        codes[FIELDS * i + 1] = site.preserveNorm() ? 1 : 0;
        multipliers[i] = edits.size() == 1 ? site.multiplier() : 1;
        long[] these = edits.stream().flatMapToLong(edit -> Arrays.stream(edit.rows())).toArray();
        if (Arrays.equals(these, previous)) {
          // As a rule every layer changes the same rows.
          rows.add(rows.get(i - 1));
        } else {
          rows.add(added(made, tensors.integers(areAll(these) ? new long[0] : these)));
          previous = these;
        }
        vectors.add(
            edits.size() == 1 ? vector(site, rank) : added(made, multiplied(tensors, rank, edits)));
      }
      return new Edits(
          Argument.of(starts),
          Argument.of(codes),
          Argument.of(multipliers),
          Argument.of(rows),
          Argument.of(vectors));
    } finally {
      made.forEach(Tensor::close);
    }
  }

  /** Whether these are all rows in their order, so that the kernel need not pick them out. */
  private boolean areAll(long[] rows) {
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] != i) {
        return false;
      }
    }
    return rows.length == rowCount;
  }

  private static Tensor vector(SteeringSite site, int rank) {
    return ((DeviceVector) site.vector()).tensor(rank);
  }

  /** Vectors beside each other [2, n, D], each times its multiplier. */
  private static Tensor multiplied(TensorKernels tensors, int rank, List<Edit> edits) {
    float[] multipliers = new float[edits.size()];
    for (int i = 0; i < multipliers.length; i++) {
      multipliers[i] = edits.get(i).site().multiplier();
    }
    List<Tensor> vectors = edits.stream().map(edit -> vector(edit.site(), rank)).toList();
    try (Tensor factors = tensors.floats(multipliers);
        Tensor stacked = tensors.stack(vectors, 1)) {
      return tensors.scaleRows(stacked, factors);
    }
  }

  private static Tensor added(List<Tensor> made, Tensor tensor) {
    made.add(tensor);
    return tensor;
  }

  /**
   * A layer's operations, those that are made as one together. Each sequence's stay in their order:
   * what it lists first comes first, and what different sequences list changes different rows.
   */
  private static List<List<Edit>> together(List<Edit> ofLayer) {
    Map<Object, List<Edit>> groups = new LinkedHashMap<>();
    ofLayer.stream()
        .sorted(Comparator.comparingInt(Edit::ordinal))
        .forEach(
            edit -> {
              SteeringSite site = edit.site();
              Object key = edit.joins() ? new Key(site.hookPoint(), edit.ordinal()) : new Object();
              groups.computeIfAbsent(key, k -> new ArrayList<>()).add(edit);
            });
    return List.copyOf(groups.values());
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
