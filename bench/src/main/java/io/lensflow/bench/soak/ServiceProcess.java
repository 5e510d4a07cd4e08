package io.lensflow.bench.soak;

import io.lensflow.bench.process.ChildJvm;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.Main;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A service of Lensflow as a process on a small heap, which is started again whenever it ends: by
 * whoever struck it, or at the next {@link #startAgainIfGone} if it ended by itself. Thread-safe.
 */
final class ServiceProcess implements AutoCloseable {
  private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
  private static final Duration PROBE_LIMIT = Duration.ofSeconds(2);
  private static final List<String> FLAGS =
      List.of("-Xmx192m", "-XX:TieredStopAtLevel=1", "-Xshare:auto");

  private final List<String> arguments;
  private final URI readiness;
  private final Path log;
  private final HttpClient http = HttpClient.newHttpClient();
  private Process process;
  private boolean struck;
  private int endedByItself;

  /**
   * @param arguments of the {@code lensflow} command
   * @param port of {@code /readyz}
   * @param log where its output is appended
   */
  ServiceProcess(List<String> arguments, int port, Path log) {
    this.arguments = arguments;
    this.readiness = URI.create("http://127.0.0.1:" + port + "/readyz");
    this.log = log;
  }

  /** Starts it. */
  synchronized void start() throws IOException {
    process =
        new ProcessBuilder(ChildJvm.command(FLAGS, Main.class, arguments))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    struck = false;
  }

  /** Whether it says that it can work. */
  boolean isReady() throws InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(readiness).timeout(PROBE_LIMIT).build();
    try {
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException notThere) {
      return false;
    }
  }

  /** Ends it at once; {@link #start} brings it back. */
  synchronized void kill() throws InterruptedException {
    struck = true;
    process.destroyForcibly().waitFor();
  }

  /** Ends it in good order, waiting for it; {@link #start} brings it back. */
  void stop() throws InterruptedException {
    Process stopped;
    synchronized (this) {
      struck = true;
      stopped = process;
    }
    stopped.destroy();
    if (!stopped.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      stopped.destroyForcibly().waitFor();
      throw new CommandFailure("no orderly end within %s; see %s".formatted(STOP_LIMIT, log));
    }
  }

  /** Sends a signal, such as {@code STOP}. */
  synchronized void signal(String name) throws IOException, InterruptedException {
    Signals.send(name, process.pid());
  }

  /** Brings it back if it has ended though nobody struck it. */
  synchronized void startAgainIfGone() throws IOException {
    if (process != null && !struck && !process.isAlive()) {
      endedByItself++;
      start();
    }
  }

  /** How often it ended though nobody struck it. */
  synchronized int endedByItself() {
    return endedByItself;
  }

  @Override
  public synchronized void close() {
    if (process != null) {
      struck = true;
      process.destroyForcibly();
    }
  }
}
