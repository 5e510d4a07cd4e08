package io.lensflow.engine.model;

/** Inverse frequencies of the rotary embedding, one per pair of a head's dimensions. */
final class RotaryFrequencies {
  private RotaryFrequencies() {}

  /** θ^(−2i/E) for i = 0 … E/2−1, scaled as the configuration says. Radians per position. */
  static float[] of(RopeConfig rope, int headSize) {
    float[] frequencies = new float[headSize / 2];
    for (int i = 0; i < frequencies.length; i++) {
      double frequency = Math.pow(rope.theta(), -2.0 * i / headSize);
      frequencies[i] =
          (float) (rope.llama3() == null ? frequency : scaled(frequency, rope.llama3()));
    }
    return frequencies;
  }

  /** Llama 3.1: long waves are slowed by the factor, short ones kept, those between blended. */
  private static double scaled(double frequency, RopeConfig.Llama3Scaling scaling) {
    double wavelength = 2 * Math.PI / frequency;
    double low = scaling.originalContext() / scaling.lowFreqFactor();
    double high = scaling.originalContext() / scaling.highFreqFactor();
    if (wavelength > low) {
      return frequency / scaling.factor();
    }
    if (wavelength < high) {
      return frequency;
    }
    double smooth =
        (scaling.originalContext() / wavelength - scaling.lowFreqFactor())
            / (scaling.highFreqFactor() - scaling.lowFreqFactor());
    return (1 - smooth) * frequency / scaling.factor() + smooth * frequency;
  }
}
