package io.lensflow.steering.exchange;

import io.lensflow.steering.vector.RefusedException;
import java.util.Locale;

/** Kinds of files that vectors travel in. */
public enum FileFormat {
  SAFETENSORS("safetensors"),
  GGUF("gguf");

  private final String suffix;

  FileFormat(String suffix) {
    this.suffix = suffix;
  }

  /** How such files' names end. */
  public String suffix() {
    return suffix;
  }

  /**
   * The format of that name.
   *
   * @throws RefusedException if there is none
   */
  public static FileFormat of(String name) {
    for (FileFormat format : values()) {
      if (format.suffix.equals(name.toLowerCase(Locale.ROOT))) {
        return format;
      }
    }
    throw RefusedException.invalid(
        "format", "'%s' is neither safetensors nor gguf".formatted(name));
  }

  /** The format that a file begins like; safetensors have no mark of their own. */
  public static FileFormat ofContent(byte[] file) {
    boolean gguf =
        file.length >= 4 && file[0] == 'G' && file[1] == 'G' && file[2] == 'U' && file[3] == 'F';
    return gguf ? GGUF : SAFETENSORS;
  }
}
