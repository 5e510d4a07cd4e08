package io.lensflow.bench.soak;

import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The checker: a Python program that shares nothing with the system it judges. It is copied into
 * the run's folder, so that a kept run can be judged again. Immutable.
 */
final class Checker {
  /** Names the interpreter where the command line does not. */
  static final String VARIABLE = "LENSFLOW_PYTHON";

  private static final List<String> FILES =
      List.of("check.py", "recording.py", "settled.py", "contents.py");
  private static final String PACKAGES = "confluent_kafka, fastavro, numpy";

  private final String python;
  private final Path folder;

  private Checker(String python, Path folder) {
    this.python = python;
    this.folder = folder;
  }

  /**
   * Copies the program to {@code folder/checker} and sees whether it can run.
   *
   * @throws CommandFailure if the interpreter or a package is missing
   */
  static Checker in(Path folder, String python) throws IOException, InterruptedException {
    Path programs = Files.createDirectories(folder.resolve("checker"));
    for (String file : FILES) {
      try (InputStream resource = Checker.class.getResourceAsStream(file)) {
        Files.copy(resource, programs.resolve(file), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Checker checker = new Checker(python, folder);
    Result result;
    try {
      result = checker.run(List.of("-c", "import " + PACKAGES));
    } catch (IOException e) {
      throw new CommandFailure(advice("there is no " + python), e);
    }
    if (result.exitCode() != 0) {
      throw new CommandFailure(advice(python + ": " + lastLine(result.output())));
    }
    return checker;
  }

  private static String advice(String what) {
    return what
        + "; the checker needs Python with confluent-kafka, fastavro and numpy: pip install them, or"
        + " name another interpreter with --python or "
        + VARIABLE;
  }

  private static String lastLine(String output) {
    List<String> lines = output.lines().toList();
    return lines.isEmpty() ? "it said nothing" : lines.get(lines.size() - 1);
  }

  /**
   * How a call ended.
   *
   * @param output both streams
   */
  record Result(int exitCode, String output) {}

  /** Copies the topics into the folder. */
  void record(String bootstrapServers, String registry) throws IOException, InterruptedException {
    require(
        call("record", "--bootstrap-servers=" + bootstrapServers, "--schema-registry=" + registry));
  }

  /** Writes {@code cases.jsonl}: what the engine is to run alone. */
  Path cases() throws IOException, InterruptedException {
    require(call("cases"));
    return folder.resolve("cases.jsonl");
  }

  /** Judges; exit code 0 if all holds, 1 with a sentence a line if not. */
  Result judge(Path model) throws IOException, InterruptedException {
    Result result = call("judge", "--model=" + model);
    if (result.exitCode() > 1) {
      require(result);
    }
    return result;
  }

  private static void require(Result result) {
    if (result.exitCode() != 0) {
      throw new CommandFailure("the checker failed: " + result.output());
    }
  }

  private Result call(String command, String... options) throws IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(List.of(folder.resolve("checker/check.py").toString(), command));
    arguments.addAll(List.of(options));
    arguments.add(folder.toString());
    return run(arguments);
  }

  private Result run(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(python));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("PYTHONIOENCODING", "utf-8");
    builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
    // On a busy machine its threads would wait for one another, spinning.
    builder.environment().putIfAbsent("OPENBLAS_NUM_THREADS", "1");
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return new Result(process.waitFor(), output);
    } finally {
      process.destroyForcibly();
    }
  }
}
