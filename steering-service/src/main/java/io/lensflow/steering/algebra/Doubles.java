package io.lensflow.steering.algebra;

/** Arithmetic on vectors of doubles of equal length. Stateless. */
public final class Doubles {
  private Doubles() {}

  /** a · b. */
  public static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** ‖a‖. */
  public static double norm(double[] a) {
    return Math.sqrt(dot(a, a));
  }

  /** The cosine; NaN if one is zero. */
  public static double cosine(double[] a, double[] b) {
    return dot(a, b) / (norm(a) * norm(b));
  }

  /** factor · a, as a new array. */
  public static double[] scaled(double[] a, double factor) {
    double[] result = new double[a.length];
    addTo(result, factor, a);
    return result;
  }

  /** sum ← sum + factor · a. */
  public static void addTo(double[] sum, double factor, double[] a) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * a[i];
    }
  }

  /** Widened to double precision. */
  public static double[] of(float[] a) {
    double[] doubles = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      doubles[i] = a[i];
    }
    return doubles;
  }

  /** Rounded to single precision. */
  public static float[] toFloats(double[] a) {
    float[] floats = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      floats[i] = (float) a[i];
    }
    return floats;
  }
}
