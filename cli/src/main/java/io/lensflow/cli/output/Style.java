package io.lensflow.cli.output;

/**
 * Colours of the 256-colour terminal palette: one ramp for probabilities, dark where the lens is
 * unsure, bright where it is sure. Immutable.
 */
public final class Style {
  private static final String RESET = "\u001b[0m";

  /** Violet over blue and green to yellow, after matplotlib's viridis. */
  private static final int[] RAMP = {236, 54, 60, 24, 30, 29, 71, 107, 148, 190};

  /** From this step on the background is bright and wants dark letters. */
  private static final int FIRST_BRIGHT = 6;

  private final boolean colour;

  /** With colours, or leaving every text as it is. */
  public Style(boolean colour) {
    this.colour = colour;
  }

  /** A cell shaded by a probability, 0 … 1. */
  String shade(String text, float probability, boolean emphasised) {
    if (!colour) {
      return text;
    }
    int step = Math.min(RAMP.length - 1, Math.max(0, (int) (probability * RAMP.length)));
    int letters = step >= FIRST_BRIGHT ? 16 : step == 0 ? 250 : 255;
    return "\u001b[%s48;5;%d;38;5;%dm%s%s"
        .formatted(emphasised ? "1;" : "", RAMP[step], letters, text, RESET);
  }

  /** Stands out. */
  public String bold(String text) {
    return colour ? "\u001b[1m" + text + RESET : text;
  }

  /** Steps back. */
  public String dim(String text) {
    return colour ? "\u001b[2m" + text + RESET : text;
  }

  /** What the model wrote. */
  public String generated(String text) {
    return colour ? "\u001b[1;38;5;114m" + text + RESET : text;
  }
}
