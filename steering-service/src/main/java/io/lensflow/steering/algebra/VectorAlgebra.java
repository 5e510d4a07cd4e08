package io.lensflow.steering.algebra;

import io.lensflow.steering.vector.Float32;
import io.lensflow.steering.vector.RefusedException;
import io.lensflow.steering.vector.SiteDraft;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sums, orthogonal parts and cosines, site by site, in double precision. Stateless. */
public final class VectorAlgebra {
  /** A part smaller than this share of what it was left from is rounding, no direction. */
  private static final double NOTHING_LEFT = 1e-6;

  private record Place(String hookPoint, int layer) {}

  private VectorAlgebra() {}

  /**
   * Σ weight · values at every site that any operand has; an operand adds nothing where it has no
   * site, just as when all are applied beside each other with {@code ADD}.
   *
   * @throws RefusedException if lengths differ
   */
  public static List<SiteDraft> weightedSum(List<Operand> terms) {
    Map<Place, double[]> sums = new LinkedHashMap<>();
    Map<Place, SiteDraft> places = new LinkedHashMap<>();
    int length = terms.get(0).sites().get(0).values().length;
    for (Operand term : terms) {
      for (SiteDraft site : term.sites()) {
        requireLength(term, site, length);
        places.putIfAbsent(placeOf(site), site);
        double[] sum = sums.computeIfAbsent(placeOf(site), place -> new double[length]);
        for (int i = 0; i < length; i++) {
          sum[i] += term.weight() * site.values()[i];
        }
      }
    }
    List<SiteDraft> result = new ArrayList<>();
    sums.forEach((place, sum) -> result.add(with(places.get(place), sum)));
    return result;
  }

  /**
   * What is left of a vector after its part in the span of others is taken away, at every site that
   * these have; their weights do not matter. Elsewhere it stays as it is.
   *
   * @throws RefusedException if lengths differ, no site is shared, or nothing is left somewhere
   */
  public static List<SiteDraft> orthogonal(List<SiteDraft> sites, List<Operand> others) {
    List<SiteDraft> result = new ArrayList<>();
    int touched = 0;
    for (SiteDraft site : sites) {
      List<double[]> basis = basis(site, others);
      touched += basis.isEmpty() ? 0 : 1;
      double[] rest = Doubles.of(site.values());
      subtract(rest, basis);
      if (Doubles.norm(rest) <= NOTHING_LEFT * Float32.norm(site.values())) {
        throw RefusedException.invalid(
            "orthogonalTo",
            "nothing is left at %s of layer %d: the vector lies in the span of %s there"
                .formatted(site.hookPoint(), site.layer(), labels(others)));
      }
      result.add(with(site, rest));
    }
    if (touched == 0) {
      throw RefusedException.invalid(
          "orthogonalTo", "%s have no site where the vector has one".formatted(labels(others)));
    }
    return result;
  }

  /** An orthonormal basis of what the others are at a site (modified Gram–Schmidt). */
  private static List<double[]> basis(SiteDraft site, List<Operand> others) {
    List<double[]> basis = new ArrayList<>();
    for (Operand other : others) {
      for (SiteDraft candidate : other.sites()) {
        if (placeOf(candidate).equals(placeOf(site))) {
          requireLength(other, candidate, site.values().length);
          double[] direction = Doubles.of(candidate.values());
          double before = Doubles.norm(direction);
          subtract(direction, basis);
          double after = Doubles.norm(direction);
          if (after > NOTHING_LEFT * before) {
            basis.add(Doubles.scaled(direction, 1 / after));
          }
        }
      }
    }
    return basis;
  }

  private static void subtract(double[] vector, List<double[]> basis) {
    // Twice: what rounding leaves of the first pass, the second takes away.
    for (int pass = 0; pass < 2; pass++) {
      for (double[] unit : basis) {
        Doubles.addTo(vector, -Doubles.dot(vector, unit), unit);
      }
    }
  }

  /**
   * a·b ÷ (‖a‖‖b‖), in −1 … 1; NaN if one is zero.
   *
   * @throws IllegalArgumentException if lengths differ
   */
  public static double cosine(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException("lengths %d and %d".formatted(a.length, b.length));
    }
    double dot = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
    }
    return Math.max(-1, Math.min(1, dot / (Float32.norm(a) * Float32.norm(b))));
  }

  /** ‖a − b‖ of vectors of equal length. */
  public static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = (double) a[i] - b[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  private static void requireLength(Operand operand, SiteDraft site, int length) {
    if (site.values().length != length) {
      throw RefusedException.invalid(
          "terms",
          "%s has %d values at a site, others %d; they are of different models"
              .formatted(operand.label(), site.values().length, length));
    }
  }

  private static List<String> labels(List<Operand> operands) {
    return operands.stream().map(Operand::label).toList();
  }

  private static Place placeOf(SiteDraft site) {
    return new Place(site.hookPoint().name(), site.layer());
  }

  private static SiteDraft with(SiteDraft place, double[] values) {
    String field = "%s of layer %d: ".formatted(place.hookPoint(), place.layer());
    return new SiteDraft(field, place.layer(), place.hookPoint(), Doubles.toFloats(values));
  }
}
