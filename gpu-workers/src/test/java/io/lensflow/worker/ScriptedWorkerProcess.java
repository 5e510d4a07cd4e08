package io.lensflow.worker;

import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaSettings;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A worker with a {@link ScriptedEngine} in a process of its own, which the token {@code Z} kills
 * at once, without a word. A launcher starts it again, as those of real deployments do.
 * Thread-safe.
 */
final class ScriptedWorkerProcess implements AutoCloseable {
  private final List<String> command = new ArrayList<>();
  private final File output;
  private Process process;
  private int deaths;
  private boolean closed;

  /**
   * Starts the process.
   *
   * @param settings keys under {@code lensflow.worker.}
   */
  ScriptedWorkerProcess(
      String name, KafkaSettings kafka, TopicCatalogue topics, Map<String, ?> settings) {
    output = new File("target/worker-" + name + ".log");
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.add("-Dlensflow.worker.name=" + name);
    settings.forEach((key, value) -> command.add("-Dlensflow.worker." + key + "=" + value));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(ScriptedWorkerProcess.class.getName());
    command.addAll(
        List.of(
            kafka.bootstrapServers(),
            kafka.schemaRegistry().toString(),
            topics.prefix(),
            Integer.toString(topics.requestPartitions())));
    start();
  }

  private synchronized void start() {
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(output))
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    process.onExit().thenAccept(this::startAgain);
  }

  private synchronized void startAgain(Process dead) {
    if (!closed) {
      deaths++;
      start();
    }
  }

  /** How often it died. */
  synchronized int deaths() {
    return deaths;
  }

  @Override
  public synchronized void close() {
    closed = true;
    process.destroyForcibly();
  }

  /** The process: runs until it is killed. */
  public static void main(String[] args) throws InterruptedException {
    ScriptedEngine.Script script = new ScriptedEngine.Script();
    script.stepNanos = 5_000_000;
    script.poisonToken = 'Z';
    script.poisonKills = true;
    Workers.scripted(
        System.getProperty("lensflow.worker.name"),
        script,
        new KafkaSettings(
            args[0], URI.create(args[1]), args[2], Integer.parseInt(args[3]), (short) 1, Map.of()),
        Map.of());
    Thread.currentThread().join();
  }
}
