package io.lensflow.testkit;

import io.lensflow.platform.broker.BrokerOptions;
import io.lensflow.platform.broker.EmbeddedBroker;
import io.lensflow.platform.registry.EmbeddedRegistry;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one broker and the one registry of a JVM's tests. JUnit's session store closes them. */
final class SharedKafka implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SharedKafka.class);

  /** Environments of the test classes so far, by class name. */
  final Map<String, KafkaEnvironment> environments = new ConcurrentHashMap<>();

  private final Runnable stopBroker;
  private final String bootstrapServers;
  private final EmbeddedRegistry registry;

  private SharedKafka(String bootstrapServers, Runnable stopBroker) {
    this.stopBroker = stopBroker;
    this.bootstrapServers = bootstrapServers;
    this.registry = EmbeddedRegistry.start(bootstrapServers, 0);
  }

  static SharedKafka start() {
    Optional<ContainerBroker> container = ContainerBroker.startIfPossible();
    if (container.isPresent()) {
      log.info("Tests use a broker in a container, at {}", container.get().bootstrapServers());
      return new SharedKafka(container.get().bootstrapServers(), container.get()::close);
    }
    EmbeddedBroker broker = EmbeddedBroker.start(BrokerOptions.temporary());
    log.info("Tests use the embedded broker, at {}", broker.bootstrapServers());
    return new SharedKafka(broker.bootstrapServers(), broker::close);
  }

  String bootstrapServers() {
    return bootstrapServers;
  }

  URI registryUri() {
    return registry.uri();
  }

  @Override
  public void close() {
    registry.close();
    stopBroker.run();
  }
}
