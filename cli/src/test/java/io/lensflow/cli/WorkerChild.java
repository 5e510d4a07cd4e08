package io.lensflow.cli;

import io.lensflow.testkit.KafkaEnvironment;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A worker as a process of its own, which can be stopped in the middle and woken again. */
final class WorkerChild implements AutoCloseable {
  private final Process process;

  private WorkerChild(Process process) {
    this.process = process;
  }

  /** Starts a small worker; it says by its heartbeat when it is there. */
  static WorkerChild start(KafkaEnvironment kafka, String name, Path checkpoint, String servedName)
      throws IOException {
    return start(kafka, name, checkpoint, servedName, Map.of());
  }

  /**
   * The same with further settings.
   *
   * @param environment variables, such as {@code LENSFLOW_WORKER_DTYPE}
   */
  static WorkerChild start(
      KafkaEnvironment kafka,
      String name,
      Path checkpoint,
      String servedName,
      Map<String, String> environment)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.add("io.lensflow.worker.WorkerMain");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder
        .environment()
        .putAll(
            Map.of(
                "CLASSPATH", System.getProperty("java.class.path"),
                "LENSFLOW_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrapServers(),
                "LENSFLOW_KAFKA_SCHEMA_REGISTRY", kafka.registryUri().toString(),
                "LENSFLOW_KAFKA_TOPIC_PREFIX", kafka.catalogue().prefix(),
                "LENSFLOW_KAFKA_REQUEST_PARTITIONS",
                    Integer.toString(kafka.catalogue().requestPartitions()),
                "LENSFLOW_WORKER_NAME", name,
                "LENSFLOW_WORKER_MODEL", checkpoint.toString(),
                "LENSFLOW_WORKER_SERVED_NAME", servedName,
                "LENSFLOW_WORKER_SLOTS", "2",
                "LENSFLOW_WORKER_HTTP_PORT", "0"));
    builder.environment().put("LENSFLOW_WORKER_THREADS", "1");
    builder.environment().put("LENSFLOW_WORKER_KV_TOKENS", "1024");
    builder.environment().putAll(environment);
    Process process = builder.redirectErrorStream(true).start();
    relay(process.inputReader(), name);
    return new WorkerChild(process);
  }

  /** So that it never blocks on a full pipe; what it says stands in the test's output. */
  private static void relay(BufferedReader lines, String name) {
    Thread reader =
        new Thread(() -> lines.lines().forEach(line -> System.out.println(name + " " + line)));
    reader.setDaemon(true);
    reader.start();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Freezes it: no heartbeat, no fetch, its sockets stay open. */
  void pause() throws Exception {
    signal("STOP");
  }

  /** Lets it go on where it was. */
  void wake() throws Exception {
    signal("CONT");
  }

  private void signal(String name) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    if (!kill.waitFor(10, TimeUnit.SECONDS) || kill.exitValue() != 0) {
      throw new IOException("kill -" + name + " failed");
    }
  }

  @Override
  public void close() {
    // Not SIGTERM: a paused process would never see it.
    process.destroyForcibly();
  }
}
