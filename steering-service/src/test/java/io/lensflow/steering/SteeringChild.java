package io.lensflow.steering;

import io.lensflow.testkit.KafkaEnvironment;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The service as a process of its own, which can be stopped in the middle and woken again. */
final class SteeringChild implements AutoCloseable {
  private static final String READY = "ready on port ";

  private final Process process;
  private final SteeringHttp http;
  private final int port;

  private SteeringChild(Process process, int port) {
    this.process = process;
    this.port = port;
    this.http = new SteeringHttp(port);
  }

  /**
   * Starts a process and returns when it answers.
   *
   * @param sessionTimeout such as {@code 3s}
   */
  static SteeringChild start(KafkaEnvironment kafka, String sessionTimeout) throws IOException {
    return start(kafka, sessionTimeout, Map.of());
  }

  /** The same with further variables of its environment. */
  static SteeringChild start(
      KafkaEnvironment kafka, String sessionTimeout, Map<String, String> more) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                SteeringMain.class.getName()));
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
                "LENSFLOW_STEERING_HOST", "127.0.0.1",
                "LENSFLOW_STEERING_PORT", "0",
                "LENSFLOW_STEERING_SESSION_TIMEOUT", sessionTimeout));
    builder.environment().putAll(more);
    Process process = builder.redirectErrorStream(true).start();
    BufferedReader lines = process.inputReader();
    StringBuilder said = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith(READY)) {
        drain(lines, process.pid());
        return new SteeringChild(process, Integer.parseInt(line.substring(READY.length())));
      }
      said.append(line).append('\n');
    }
    throw new IOException("the child ended: " + said);
  }

  /** So that it never blocks on a full pipe; what it says stands in the test's output. */
  private static void drain(BufferedReader lines, long pid) {
    Thread reader =
        new Thread(() -> lines.lines().forEach(line -> System.out.println(pid + " " + line)));
    reader.setDaemon(true);
    reader.start();
  }

  SteeringHttp http() {
    return http;
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  /** Whether it believes that it writes. */
  boolean isWriter() {
    return http.get("/metrics").text().contains("lensflow_steering_writer 1.0");
  }

  /** Freezes it: no heartbeat, no answer, its sockets stay open. */
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

  /** Ends it without a chance to say so. */
  void kill() {
    process.destroyForcibly();
  }

  @Override
  public void close() {
    // Not SIGTERM: a paused process would never see it.
    kill();
  }
}
