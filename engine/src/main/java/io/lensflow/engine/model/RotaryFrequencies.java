package io.lensflow.engine.model;

/**
 * Inverse frequencies of the rotary embedding, one per pair of a head's dimensions.
 *
 * <p>Computed in float32 step by step, as transformers does: it rounds the exponent, the power and
 * its inverse. A frequency computed more exactly differs by up to 4e-7 of itself, which at position
 * 8,000 is an angle of 3e-3 that shows in every hidden state.
 */
final class RotaryFrequencies {
  private static final float FULL_TURN = (float) (2 * Math.PI);

  private RotaryFrequencies() {}

  /** θ^(−2i/E) for i = 0 … E/2−1, scaled as the configuration says. Radians per position. */
  static float[] of(RopeConfig rope, int headSize) {
    float[] frequencies = new float[headSize / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float exponent = (float) (2 * i) / headSize;
      float frequency = 1 / (float) Math.pow((float) rope.theta(), exponent);
      frequencies[i] = rope.llama3() == null ? frequency : scaled(frequency, rope.llama3());
    }
    return frequencies;
  }

  /** Llama 3.1: long waves are slowed by the factor, short ones kept, those between blended. */
  private static float scaled(float frequency, RopeConfig.Llama3Scaling scaling) {
    float wavelength = FULL_TURN / frequency;
    float low = (float) (scaling.originalContext() / scaling.lowFreqFactor());
    float high = (float) (scaling.originalContext() / scaling.highFreqFactor());
    float factor = (float) scaling.factor();
    if (wavelength > low) {
      return frequency / factor;
    }
    if (wavelength < high) {
      return frequency;
    }
    float smooth =
        (scaling.originalContext() / wavelength - (float) scaling.lowFreqFactor())
            / (float) (scaling.highFreqFactor() - scaling.lowFreqFactor());
    return (1 - smooth) * frequency / factor + smooth * frequency;
  }
}
