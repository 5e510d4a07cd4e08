package io.lensflow.steering.build;

import io.lensflow.steering.algebra.Doubles;
import io.lensflow.steering.vector.SiteDraft;

/**
 * A vector at one site.
 *
 * @param site where
 * @param vector the vector [D]
 * @param labelShare |cos(v, label direction)|, over several pairs of labels the largest; null where
 *     no item has its reverse order
 */
public record BuiltSite(Site site, double[] vector, Double labelShare) {
  /** ‖v‖. */
  public double norm() {
    return Doubles.norm(vector);
  }

  /**
   * As it is published, in single precision.
   *
   * @param field path in what was sent, for errors
   */
  public SiteDraft draft(String field) {
    return new SiteDraft(field, site.layer(), site.hookPoint(), Doubles.toFloats(vector));
  }
}
