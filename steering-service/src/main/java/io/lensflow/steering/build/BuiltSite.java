package io.lensflow.steering.build;

/**
 * A vector at one site.
 *
 * @param site where
 * @param vector the vector [D]
 * @param labelShare |cos(v, label direction)|, over several pairs of labels the largest; null where
 *     no item has its reverse order
 */
record BuiltSite(Site site, double[] vector, Double labelShare) {
  /** ‖v‖. */
  double norm() {
    return Doubles.norm(vector);
  }
}
