package io.lensflow.cli.option;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.output.DownloadBar;
import io.lensflow.cli.output.Terminal;
import io.lensflow.hub.DownloadProgress;
import io.lensflow.hub.ModelFiles;
import io.lensflow.hub.ModelHub;
import io.lensflow.hub.ProgressLines;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.OptionalInt;

/** The folder of a model that a command's {@code --model} names, fetched if it has to be. */
public final class LocalModel {
  private LocalModel() {}

  /**
   * Finds the model; a download shows on standard error how far it is, as a bar on a terminal and
   * as a line now and then elsewhere.
   *
   * @param folderOrId a folder, or {@code org/name[@revision]}
   * @throws CommandFailure if it cannot be had; the message says what would help
   */
  public static Path resolve(String folderOrId) {
    PrintStream err = Terminal.standardError();
    OptionalInt columns = Terminal.errorColumns();
    if (columns.isEmpty()) {
      return resolve(folderOrId, new ProgressLines(err::println));
    }
    try (DownloadBar bar = new DownloadBar(err, columns.getAsInt(), System::nanoTime)) {
      return resolve(folderOrId, bar);
    }
  }

  private static Path resolve(String folderOrId, DownloadProgress progress) {
    try {
      return ModelHub.fromEnvironment().resolve(folderOrId, ModelFiles.ALL, progress);
    } catch (IOException | IllegalArgumentException e) {
      throw new CommandFailure("--model: " + e.getMessage(), e);
    }
  }
}
