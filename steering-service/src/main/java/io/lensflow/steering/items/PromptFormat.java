package io.lensflow.steering.items;

import io.lensflow.steering.vector.RefusedException;
import java.util.Locale;

/** How an item becomes text. */
public enum PromptFormat {
  /**
   * The checkpoint's chat template over one user message, generation prompt added, then the answer
   * without its leading space. No special tokens are added to what the template rendered.
   */
  CHAT,
  /**
   * Question, two newlines, {@code Answer:}, then the answer as it stands. Special tokens as the
   * tokenizer adds them by itself.
   */
  PLAIN;

  /**
   * The format of a name, whatever its case.
   *
   * @throws RefusedException naming field {@code format} for any other
   */
  public static PromptFormat of(String name) {
    for (PromptFormat format : values()) {
      if (format.name().equalsIgnoreCase(name)) {
        return format;
      }
    }
    throw RefusedException.invalid(
        "format", "'%s' is no format; use chat or plain".formatted(name));
  }

  /** As requests and results write it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
