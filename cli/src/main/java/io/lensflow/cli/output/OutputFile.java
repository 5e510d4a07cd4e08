package io.lensflow.cli.output;

import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that a user wants a result in, which may come only after hours. Stateless. */
public final class OutputFile {
  private OutputFile() {}

  /**
   * Refuses a file that could not be written, before the work that is written to it.
   *
   * @param option the option that names it
   * @param file null if it was not given
   * @throws CommandFailure if its folder is not there, or may not be written to
   */
  public static void check(String option, Path file) {
    if (file == null) {
      return;
    }
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw failure(option, file, "it is a folder", null);
    }
    if (folder == null || !Files.isDirectory(folder)) {
      throw failure(option, file, "the folder %s is not there".formatted(folder), null);
    }
    if (!Files.isWritable(Files.exists(file) ? file : folder)) {
      throw failure(option, file, "no permission", null);
    }
  }

  /**
   * Writes it.
   *
   * @throws CommandFailure if that does not succeed
   */
  public static void write(String option, Path file, String content) {
    try {
      Files.writeString(file, content);
    } catch (IOException e) {
      throw failure(option, file, e.toString(), e);
    }
  }

  private static CommandFailure failure(
      String option, Path file, String reason, IOException cause) {
    return new CommandFailure(
        "%s: %s cannot be written: %s".formatted(option, file, reason), cause);
  }
}
