package io.lensflow.engine.steering;

/**
 * A steering vector that lies on every rank's device, in float32. Closing it while a sequence still
 * uses it is an error of the caller; closing twice is harmless.
 */
public interface PreparedVector extends AutoCloseable {
  /** D. */
  int length();

  /** Euclidean norm. */
  double norm();

  @Override
  void close();
}
