package io.lensflow.cli;

import io.lensflow.testkit.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * Runs the examples in Python: by the interpreter that the environment variable {@code
 * LENSFLOW_PYTHON} names, or else by {@code python3}. Immutable.
 */
final class Python {
  private static final String VARIABLE = "LENSFLOW_PYTHON";
  private static final String PACKAGES = "confluent_kafka, fastavro";
  private static final Duration IMPORT_LIMIT = Duration.ofSeconds(60);

  private final String interpreter;

  private Python(String interpreter) {
    this.interpreter = interpreter;
  }

  /**
   * An interpreter with the packages of the examples; without one the test that asks is skipped.
   */
  static Python withPackages() throws IOException, InterruptedException {
    String set = System.getenv(VARIABLE);
    Python python = new Python(set == null || set.isBlank() ? "python3" : set);
    Assumptions.assumeTrue(
        python.imports(PACKAGES),
        () ->
            "Skipped: %s does not run or cannot import %s; pip install confluent-kafka fastavro, or name another interpreter in %s"
                .formatted(python.interpreter, PACKAGES, VARIABLE));
    return python;
  }

  private boolean imports(String packages) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(interpreter, "-c", "import " + packages)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      try {
        return process.waitFor(IMPORT_LIMIT.toSeconds(), TimeUnit.SECONDS)
            && process.exitValue() == 0;
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException absent) {
      return false;
    }
  }

  /**
   * Runs a script to its end.
   *
   * @return the lines it printed
   * @throws AssertionError if it fails, or does not end in time
   */
  List<String> run(Path script, Duration limit, String... arguments) throws Exception {
    try (Running running = start(script, arguments)) {
      Await.until(script + " ends", limit, () -> !running.process.isAlive());
      running.reader.join();
      if (running.process.exitValue() != 0) {
        throw new AssertionError(script + " failed:\n" + Files.readString(running.errors));
      }
      return List.copyOf(running.lines);
    }
  }

  /**
   * Runs a script that has no end until it has printed so many lines.
   *
   * @return all that it printed until then
   * @throws AssertionError if it ends by itself, or does not print them in time
   */
  List<String> runUntil(int lines, Path script, Duration limit, String... arguments)
      throws Exception {
    try (Running running = start(script, arguments)) {
      Await.until(
          script + " prints " + lines + " lines",
          limit,
          () -> running.lines.size() >= lines || !running.process.isAlive());
      if (!running.process.isAlive()) {
        throw new AssertionError(script + " ended:\n" + Files.readString(running.errors));
      }
      synchronized (running.lines) {
        return List.copyOf(running.lines);
      }
    }
  }

  private Running start(Path script, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(interpreter, "-u", script.toString()));
    command.addAll(List.of(arguments));
    Path errors = Files.createTempFile("lensflow-python", ".err");
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
    builder.environment().put("PYTHONIOENCODING", "utf-8");
    return new Running(builder.start(), errors);
  }

  private static final class Running implements AutoCloseable {
    private final Process process;
    private final Path errors;
    private final List<String> lines = Collections.synchronizedList(new ArrayList<>());
    private final Thread reader;

    private Running(Process process, Path errors) {
      this.process = process;
      this.errors = errors;
      this.reader = new Thread(() -> process.inputReader().lines().forEach(lines::add));
      reader.setDaemon(true);
      reader.start();
    }

    @Override
    public void close() throws IOException {
      process.destroyForcibly();
      Files.delete(errors);
    }
  }
}
