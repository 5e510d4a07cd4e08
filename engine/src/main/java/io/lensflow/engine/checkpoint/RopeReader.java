package io.lensflow.engine.checkpoint;

import io.lensflow.engine.model.RopeConfig;

/**
 * Reads the rotary embedding from {@code rope_theta} and {@code rope_scaling} or from {@code
 * rope_parameters}, with transformers' order of precedence: {@code rope_scaling} over {@code
 * rope_parameters}, a base inside the object over one beside it.
 */
final class RopeReader {
  private static final double DEFAULT_THETA = 10_000;
  private static final String ORIGINAL_CONTEXT = "original_max_position_embeddings";

  private final ConfigFields config;

  private RopeReader(ConfigFields config) {
    this.config = config;
  }

  static RopeConfig read(ConfigFields config) throws CheckpointException {
    return new RopeReader(config).read();
  }

  private RopeConfig read() throws CheckpointException {
    ConfigFields scaling = config.object("rope_scaling");
    String name = "rope_scaling";
    if (scaling == null) {
      scaling = config.object("rope_parameters");
      name = "rope_parameters";
    }
    allRotated(config);
    double outerTheta = theta(config, DEFAULT_THETA);
    if (scaling == null) {
      return new RopeConfig(outerTheta, null);
    }
    String nested = scaling.nestedObject();
    if (nested != null) {
      throw config.refused(name, "one object per layer type: " + nested, "one for all layers");
    }
    allRotated(scaling);
    double theta = theta(scaling, outerTheta);
    String type = scaling.text("rope_type", scaling.text("type", "default"));
    return switch (type) {
      case "default" -> new RopeConfig(theta, null);
      case "llama3" -> new RopeConfig(theta, llama3(scaling));
      default -> throw config.refused("rope_type", type, "default, llama3");
    };
  }

  private RopeConfig.Llama3Scaling llama3(ConfigFields scaling) throws CheckpointException {
    int beside = config.positive(ORIGINAL_CONTEXT, config.positive("max_position_embeddings"));
    int original = scaling.positive(ORIGINAL_CONTEXT, beside);
    if (config.has(ORIGINAL_CONTEXT) && original != beside) {
      throw config.broken(
          "%s is %d inside the rotary parameters and %d beside them; make them agree"
              .formatted(ORIGINAL_CONTEXT, original, beside));
    }
    double low = scaling.positiveNumber("low_freq_factor");
    double high = scaling.positiveNumber("high_freq_factor");
    if (high <= low) {
      throw config.broken(
          "high_freq_factor %s is not greater than low_freq_factor %s".formatted(high, low));
    }
    return new RopeConfig.Llama3Scaling(scaling.positiveNumber("factor"), low, high, original);
  }

  private static double theta(ConfigFields fields, double fallback) throws CheckpointException {
    if (fields.isNull("rope_theta")) {
      throw fields.wrong("rope_theta", "a positive number");
    }
    return fields.positiveNumber("rope_theta", fallback);
  }

  private static void allRotated(ConfigFields fields) throws CheckpointException {
    double factor = fields.positiveNumber("partial_rotary_factor", 1);
    if (factor != 1) {
      throw fields.refused("partial_rotary_factor", factor, "1");
    }
  }
}
