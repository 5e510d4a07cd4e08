package io.lensflow.engine.generation;

/**
 * How tokens are chosen.
 *
 * @param temperature 0 is greedy; else logits are divided by it
 * @param topP in (0, 1]: the fewest likeliest tokens whose probabilities reach it stay; 1 keeps all
 * @param topK at least 0: so many likeliest tokens stay; 0 keeps all
 * @param minP in [0, 1): tokens less likely than this share of the likeliest go; 0 keeps all
 * @param repetitionPenalty over 0; 1 changes nothing
 * @param seed key of the generator
 */
public record SamplingOptions(
    float temperature, float topP, int topK, float minP, float repetitionPenalty, long seed) {
  /** The likeliest token, always. */
  public static final SamplingOptions GREEDY = new SamplingOptions(0, 1, 0, 0, 1, 0);

  public SamplingOptions {
    require(temperature >= 0 && Float.isFinite(temperature), "temperature", temperature, "≥ 0");
    require(topP > 0 && topP <= 1, "topP", topP, "in (0, 1]");
    require(topK >= 0, "topK", topK, "≥ 0");
    require(minP >= 0 && minP < 1, "minP", minP, "in [0, 1)");
    require(
        repetitionPenalty > 0 && Float.isFinite(repetitionPenalty),
        "repetitionPenalty",
        repetitionPenalty,
        "> 0");
  }

  private static void require(boolean valid, String field, Object value, String range) {
    if (!valid) {
      throw new IllegalArgumentException("%s is %s; it must be %s".formatted(field, value, range));
    }
  }
}
