package io.lensflow.bench.process;

import io.lensflow.cli.CommandFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A class run in a JVM of its own, with this one's class path: memory is measured where nothing
 * else has used any. The child prints lines {@code name value}; all else is an error of its own.
 */
public final class ChildJvm {
  private static final int RELAXED_NATIVE_ACCESS = 24;

  private ChildJvm() {}

  /**
   * Runs it to its end.
   *
   * @param heap heap, such as {@code 256m}
   * @param environment variables beside this process' own
   * @return what it printed, by name
   * @throws CommandFailure if it fails; says why
   */
  public static Map<String, Double> run(
      String heap, Map<String, String> environment, Class<?> main, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = command(List.of("-Xms" + heap, "-Xmx" + heap), main, arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      String printed =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.waitFor() != 0) {
        throw new CommandFailure("%s failed: %s".formatted(main.getSimpleName(), reason(printed)));
      }
      return parse(printed);
    } finally {
      process.destroyForcibly();
    }
  }

  /**
   * The command line of a class in a JVM like this one.
   *
   * @param flags for the JVM, beside those that it needs here
   */
  public static List<String> command(List<String> flags, Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:+UseSerialGC");
    command.addAll(flags);
    if (Runtime.version().feature() >= RELAXED_NATIVE_ACCESS) {
      command.add("--enable-native-access=ALL-UNNAMED");
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(arguments);
    return command;
  }

  static Map<String, Double> parse(String printed) {
    Map<String, Double> values = new LinkedHashMap<>();
    for (String line : printed.lines().toList()) {
      String[] words = line.split(" ");
      if (words.length == 2 && words[1].matches("-?[0-9.]+(E-?[0-9]+)?")) {
        values.put(words[0], Double.parseDouble(words[1]));
      }
    }
    return values;
  }

  /** The line that names the exception, or the last one. */
  static String reason(String printed) {
    List<String> lines = printed.lines().toList();
    return lines.stream()
        .filter(line -> line.startsWith("Exception in thread"))
        .findFirst()
        .orElse(lines.isEmpty() ? "it said nothing" : lines.get(lines.size() - 1));
  }
}
