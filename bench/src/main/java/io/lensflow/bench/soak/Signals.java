package io.lensflow.bench.soak;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Signals that Java has no word for. Stateless. */
final class Signals {
  private static final int LIMIT_SECONDS = 10;

  private Signals() {}

  /**
   * Sends one.
   *
   * @param name such as {@code STOP}
   * @throws IOException if there is no such process
   */
  static void send(String name, long pid) throws IOException, InterruptedException {
    Process kill =
        new ProcessBuilder("kill", "-" + name, Long.toString(pid))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!kill.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) || kill.exitValue() != 0) {
      throw new IOException("kill -%s %d failed".formatted(name, pid));
    }
  }
}
