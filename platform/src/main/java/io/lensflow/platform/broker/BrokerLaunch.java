package io.lensflow.platform.broker;

import io.lensflow.platform.net.Ports;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One attempt to start the child: its settings, its command line, its first words. Used by one
 * thread; the daemon thread {@code embedded-broker-output} reads what the child says.
 */
final class BrokerLaunch {
  private final BrokerOptions options;
  private final Path folder;
  private final int port;

  BrokerLaunch(BrokerOptions options, Path folder, int port) {
    this.options = options;
    this.folder = folder;
    this.port = port;
  }

  /** The child, ready to serve. */
  Process run() throws IOException {
    Path settings = writeSettings();
    Process process = null;
    try {
      process = start(settings);
      awaitReadyOrShutdown(process);
      return process;
    } catch (IOException | BrokerStartException e) {
      if (process != null) {
        process.destroyForcibly();
      }
      throw e;
    } finally {
      Files.deleteIfExists(settings);
    }
  }

  private int controllerPort() throws IOException {
    Set<Integer> taken = new HashSet<>(Set.of(port));
    options.advertised().forEach(address -> taken.add(BrokerOptions.portOf(address)));
    return Ports.freeOtherThan(taken);
  }

  private Path writeSettings() throws IOException {
    Properties properties = new Properties();
    properties.putAll(
        BrokerProperties.singleNode(folder, port, controllerPort(), options.advertised()));
    properties.putAll(options.properties());
    properties.put(BrokerProcess.FOLDER, folder.toString());
    properties.put(BrokerProcess.OWNER, Long.toString(ProcessHandle.current().pid()));
    properties.put(BrokerProcess.TEMPORARY, Boolean.toString(options.folder() == null));
    Path file = Files.createTempFile(folder, "broker-", ".properties");
    try (Writer writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
      properties.store(writer, null);
    }
    return file;
  }

  private Process start(Path settings) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command(settings));
    // Not as an argument: class paths are long, and nobody wants them in a list of processes.
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    builder.redirectError(ProcessBuilder.Redirect.appendTo(logFile().toFile()));
    return builder.start();
  }

  private List<String> command(Path settings) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx" + options.heapMebibytes() + "m");
    command.add("-XX:+UseSerialGC");
    // The first compiler alone: ready a third sooner and 30 MB smaller, and the broker's work is
    // I/O.
    command.add("-XX:TieredStopAtLevel=1");
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.add("-Dlogback.configurationFile=io/lensflow/platform/broker/logback-broker.xml");
    command.add(BrokerProcess.class.getName());
    command.add(settings.toString());
    command.add("--child");
    return command;
  }

  /** Nobody holds the child yet: if this JVM is told to end meanwhile, the child ends with it. */
  private void awaitReadyOrShutdown(Process process) {
    Thread hook = new Thread(process::destroyForcibly, "embedded-broker-abandon");
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException e) {
      throw new BrokerStartException("Told to end while the broker started", e);
    }
    try {
      awaitReady(process);
    } finally {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // the hook is running
      }
    }
  }

  private void awaitReady(Process process) {
    String said = firstWords(process);
    if (said.startsWith(BrokerProcess.REFUSED)) {
      throw new BrokerStartException(said.substring(BrokerProcess.REFUSED.length()));
    }
    if (!said.equals(BrokerProcess.READY)) {
      throw new BrokerStartException(
          "The broker did not start: %s; see %s".formatted(said, logFile()));
    }
  }

  private String firstWords(Process process) {
    CompletableFuture<String> words = new CompletableFuture<>();
    Thread reader = new Thread(() -> readOutput(process, words), "embedded-broker-output");
    reader.setDaemon(true);
    reader.start();
    try {
      return words.get(options.startTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return "not ready after " + options.startTimeout().toSeconds() + " s";
    } catch (ExecutionException e) {
      return String.valueOf(e.getCause().getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BrokerStartException("Interrupted while the broker started", e);
    }
  }

  /** Reads to the end, so that the child never blocks on a full pipe; only one line matters. */
  private static void readOutput(Process process, CompletableFuture<String> words) {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (BrokerProcess.isAnswer(line)) {
          words.complete(line);
        }
      }
      words.complete("it ended without a word");
    } catch (IOException e) {
      words.completeExceptionally(e);
    }
  }

  private Path logFile() {
    return folder.resolve("broker.log");
  }
}
