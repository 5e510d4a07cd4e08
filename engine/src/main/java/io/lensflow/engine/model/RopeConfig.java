package io.lensflow.engine.model;

/**
 * Rotary position embedding.
 *
 * @param theta base of the frequencies
 * @param llama3 the {@code llama3} frequency scaling; null for none
 */
public record RopeConfig(double theta, Llama3Scaling llama3) {
  /**
   * Llama 3.1's scaling of low frequencies.
   *
   * @param factor by how much low frequencies are slowed
   * @param lowFreqFactor wavelengths over {@code originalContext / lowFreqFactor} are fully scaled
   * @param highFreqFactor wavelengths under {@code originalContext / highFreqFactor} are kept
   * @param originalContext context length before scaling
   */
  public record Llama3Scaling(
      double factor, double lowFreqFactor, double highFreqFactor, int originalContext) {}
}
