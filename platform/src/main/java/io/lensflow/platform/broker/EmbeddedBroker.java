package io.lensflow.platform.broker;

import io.lensflow.platform.net.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Kafka broker in a child JVM, with this process's class path. It listens on the loopback
 * address, and for other machines where {@link BrokerOptions#advertised()} says so, and lives until
 * {@link #close()}, or as long as this process: it ends with its parent even if that is killed.
 * Data in a given folder outlives it, whatever way it ends. Thread-safe.
 *
 * <p>A child rather than a broker in this JVM: it has a small heap of its own, its hundred threads
 * stay out of ours, and its death, when a test wants one, is a real one. A Ctrl-C does not stop it,
 * closing does: services that share the terminal can still send what they have.
 */
public final class EmbeddedBroker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedBroker.class);
  private static final int PORT_TRIES = 5;
  private static final long STOP_SECONDS = 20;

  private final Path folder;
  private final boolean temporary;
  private final int port;
  private final Process process;

  private EmbeddedBroker(Path folder, boolean temporary, int port, Process process) {
    this.folder = folder;
    this.temporary = temporary;
    this.port = port;
    this.process = process;
  }

  /**
   * Starts a broker and returns when it serves, in about two seconds.
   *
   * @throws BrokerStartException if the port or the folder is in use, or Kafka does not start
   */
  public static EmbeddedBroker start(BrokerOptions options) {
    try {
      Ports.requireFree("127.0.0.1", options.port());
      for (String address : options.advertised()) {
        Ports.requireFree("0.0.0.0", BrokerOptions.portOf(address));
      }
    } catch (IOException e) {
      throw new BrokerStartException(e.getMessage(), e);
    }
    for (int tried = 1; ; tried++) {
      try {
        return startOnce(options);
      } catch (BrokerStartException e) {
        // Between our finding a port free and Kafka's taking it, another program may have.
        boolean portLost = e.getMessage().contains("Address already in use");
        if (!portLost || options.port() != 0 || tried == PORT_TRIES) {
          throw e;
        }
      }
    }
  }

  /** Where clients find it: {@code 127.0.0.1:port}. */
  public String bootstrapServers() {
    return "127.0.0.1:" + port;
  }

  /** The port of {@link #bootstrapServers()}. */
  public int port() {
    return port;
  }

  /** The folder with its data and its {@code broker.log}. */
  public Path folder() {
    return folder;
  }

  /** Process id of the child. */
  public long pid() {
    return process.pid();
  }

  /** Whether the child runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** Completes with the child's exit status when it ends, whoever ended it. */
  public CompletableFuture<Integer> onExit() {
    return process.onExit().thenApply(Process::exitValue);
  }

  /** Stops the broker in good order and waits for its end; harmless if it has ended. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // The child is gone already.
    }
    awaitEnd();
    if (temporary) {
      DataFolder.delete(folder);
    }
  }

  private void awaitEnd() {
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        log.warn("The broker did not stop in {} s and is killed", STOP_SECONDS);
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private static EmbeddedBroker startOnce(BrokerOptions options) {
    boolean temporary = options.folder() == null;
    Path folder = null;
    try {
      folder = temporary ? Files.createTempDirectory("lensflow-broker-") : create(options.folder());
      int port = options.port() != 0 ? options.port() : Ports.free();
      Process process = new BrokerLaunch(options, folder, port).run();
      return new EmbeddedBroker(folder, temporary, port, process);
    } catch (IOException e) {
      throw new BrokerStartException(
          "Cannot start a broker on the folder %s: %s".formatted(options.folder(), e), e);
    } catch (BrokerStartException e) {
      if (temporary) {
        DataFolder.delete(folder);
      }
      throw e;
    }
  }

  private static Path create(Path folder) throws IOException {
    return Files.createDirectories(folder.toAbsolutePath().normalize());
  }
}
