package io.lensflow.steering.evaluate;

import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.SiteDraft;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Vectors to compare with: of equal norm at every site. Stateless. */
final class EqualNorm {
  private EqualNorm() {}

  /**
   * A Gaussian direction at every site, as long as the vector there.
   *
   * @param seed equal seeds give equal vectors
   */
  static List<SiteDraft> random(List<SiteDraft> vector, long seed) {
    Random random = new Random(seed);
    List<SiteDraft> drawn = new ArrayList<>();
    for (SiteDraft site : vector) {
      float[] values = new float[site.values().length];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      drawn.add(scaled(new SiteDraft(site.field(), site.layer(), site.hookPoint(), values), site));
    }
    return drawn;
  }

  /** The same direction, as long as another vector. */
  static SiteDraft scaled(SiteDraft site, SiteDraft like) {
    double factor = Float32.norm(like.values()) / Float32.norm(site.values());
    float[] scaled = new float[site.values().length];
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = (float) (site.values()[i] * factor);
    }
    return new SiteDraft(site.field(), site.layer(), site.hookPoint(), scaled);
  }

  /** The norm over all sites together. */
  static double norm(List<SiteDraft> vector) {
    return Math.sqrt(vector.stream().mapToDouble(site -> dot(site, site)).sum());
  }

  /** The cosine over all sites together, which must be the same ones in the same order. */
  static double cosine(List<SiteDraft> a, List<SiteDraft> b) {
    double dot = 0;
    for (int i = 0; i < a.size(); i++) {
      dot += dot(a.get(i), b.get(i));
    }
    return dot / (norm(a) * norm(b));
  }

  private static double dot(SiteDraft a, SiteDraft b) {
    double sum = 0;
    for (int i = 0; i < a.values().length; i++) {
      sum += (double) a.values()[i] * b.values()[i];
    }
    return sum;
  }
}
