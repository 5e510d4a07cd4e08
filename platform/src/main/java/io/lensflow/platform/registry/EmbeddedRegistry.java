package io.lensflow.platform.registry;

import io.javalin.Javalin;
import io.lensflow.platform.net.Ports;
import java.io.IOException;
import java.net.URI;
import org.apache.kafka.common.KafkaException;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A schema registry that speaks Confluent's REST API and keeps everything in one compacted topic,
 * so that it starts again where it ended. Several over one broker agree with each other; a registry
 * proper is for where many teams share one. Thread-safe; its threads are Jetty's, named {@code
 * registry}.
 */
public final class EmbeddedRegistry implements AutoCloseable {
  private static final int MAX_THREADS = 16;
  private static final int MIN_THREADS = 2;

  private final SchemaStore store;
  private final Javalin server;
  private final URI uri;

  private EmbeddedRegistry(SchemaStore store, Javalin server, URI uri) {
    this.store = store;
    this.server = server;
    this.uri = uri;
  }

  /** As {@link #start(RegistryOptions)}, on the loopback address; port 0 takes a free one. */
  public static EmbeddedRegistry start(String bootstrapServers, int port) {
    return start(RegistryOptions.local(bootstrapServers, port));
  }

  /**
   * Starts a registry and returns when it serves.
   *
   * @throws RegistryStartException if the port is in use or the broker does not answer
   */
  public static EmbeddedRegistry start(RegistryOptions options) {
    try {
      Ports.requireFree(options.host(), options.port());
    } catch (IOException e) {
      throw new RegistryStartException("The schema registry cannot start. " + e.getMessage(), e);
    }
    SchemaStore store = open(options);
    try {
      Javalin server = server(new RegistryApi(store));
      server.start(options.host(), options.port());
      String host = options.host().equals("0.0.0.0") ? "127.0.0.1" : options.host();
      URI uri = URI.create("http://" + host + ":" + server.port());
      return new EmbeddedRegistry(store, server, uri);
    } catch (RuntimeException e) {
      store.close();
      throw new RegistryStartException(
          "The schema registry cannot listen at %s:%d (%s): choose another port"
              .formatted(options.host(), options.port(), e.getMessage()),
          e);
    }
  }

  /** Where clients on this machine find it. */
  public URI uri() {
    return uri;
  }

  /** Stops serving; what was registered stays in the topic. */
  @Override
  public void close() {
    server.stop();
    store.close();
  }

  private static SchemaStore open(RegistryOptions options) {
    SchemaLog log = new SchemaLog(options);
    try {
      return new SchemaStore(log);
    } catch (KafkaException e) {
      log.close();
      throw new RegistryStartException(
          "The schema registry cannot read topic %s of the broker at %s: %s"
              .formatted(options.topic(), options.bootstrapServers(), e.getMessage()),
          e);
    }
  }

  private static Javalin server(RegistryApi api) {
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, MIN_THREADS);
    threads.setName("registry");
    threads.setDaemon(true);
    return Javalin.create(
        config -> {
          config.startup.showJavalinBanner = false;
          config.jetty.threadPool = threads;
          api.addTo(config.routes);
        });
  }
}
