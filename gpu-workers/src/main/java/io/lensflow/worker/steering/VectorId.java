package io.lensflow.worker.steering;

import java.util.Comparator;

/**
 * An immutable version of a vector of the served model. Ordered by name, then version.
 *
 * @param name name of the vector
 * @param version from 1
 */
public record VectorId(String name, int version) implements Comparable<VectorId> {
  private static final Comparator<VectorId> ORDER =
      Comparator.comparing(VectorId::name).thenComparingInt(VectorId::version);

  @Override
  public int compareTo(VectorId other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return name + "@" + version;
  }
}
