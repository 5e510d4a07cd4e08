package io.lensflow.bench.process;

import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * This process' resident memory, as Linux tells it in {@code /proc/self}. Stateless.
 *
 * <p>Pages of files that are read stand in the system's cache, not here.
 */
public final class ProcessMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR_REFS = Path.of("/proc/self/clear_refs");
  private static final String RESET_PEAK = "5";
  private static final int KIB = 1024;

  private ProcessMemory() {}

  /** Bytes that are resident now. */
  public static long resident() throws IOException {
    return read("VmRSS:");
  }

  /** The most that ever were, or since {@link #resetPeak}. */
  public static long peak() throws IOException {
    return read("VmHWM:");
  }

  /**
   * Forgets the peak so far.
   *
   * @throws CommandFailure where the system does not allow it
   */
  public static void resetPeak() {
    try {
      Files.writeString(CLEAR_REFS, RESET_PEAK);
    } catch (IOException e) {
      throw new CommandFailure(
          "the peak of resident memory cannot be reset (" + CLEAR_REFS + "): Linux 4 is needed", e);
    }
  }

  private static long read(String key) throws IOException {
    if (!Files.isReadable(STATUS)) {
      throw new CommandFailure(STATUS + " is not there: memory is measured on Linux only");
    }
    for (String line : Files.readAllLines(STATUS)) {
      if (line.startsWith(key)) {
        return KIB * Long.parseLong(line.substring(key.length()).replace("kB", "").strip());
      }
    }
    throw new CommandFailure(STATUS + " has no " + key);
  }
}
