package io.lensflow.worker.steering;

/**
 * An immutable version of a vector of the served model.
 *
 * @param name name of the vector
 * @param version from 1
 */
public record VectorId(String name, int version) {
  @Override
  public String toString() {
    return name + "@" + version;
  }
}
