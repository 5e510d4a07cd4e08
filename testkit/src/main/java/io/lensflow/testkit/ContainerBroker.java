package io.lensflow.testkit;

import com.github.dockerjava.api.exception.NotFoundException;
import io.lensflow.platform.broker.BrokerProperties;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.utility.DockerImageName;

/** A broker in a container, with the embedded one's settings. Nothing is ever pulled. */
final class ContainerBroker implements AutoCloseable {
  private static final String IMAGE_VARIABLE = "LENSFLOW_TEST_KAFKA_IMAGE";
  private static final Logger log = LoggerFactory.getLogger(ContainerBroker.class);

  private final KafkaContainer container;

  private ContainerBroker(KafkaContainer container) {
    this.container = container;
  }

  /**
   * A running broker, or empty where no image is named, no engine answers, or it lacks the image.
   */
  static Optional<ContainerBroker> startIfPossible() {
    String image = System.getenv(IMAGE_VARIABLE);
    if (image == null || image.isBlank()) {
      return Optional.empty();
    }
    if (!DockerClientFactory.instance().isDockerAvailable()) {
      log.warn("{} names {}, but no Docker engine answers", IMAGE_VARIABLE, image);
      return Optional.empty();
    }
    if (!isPresent(image)) {
      log.warn("{} names {}, which the Docker engine does not have", IMAGE_VARIABLE, image);
      return Optional.empty();
    }
    return Optional.of(new ContainerBroker(start(image)));
  }

  String bootstrapServers() {
    return container.getBootstrapServers();
  }

  @Override
  public void close() {
    container.stop();
  }

  private static boolean isPresent(String image) {
    try {
      DockerClientFactory.lazyClient().inspectImageCmd(image).exec();
      return true;
    } catch (NotFoundException absent) {
      return false;
    }
  }

  private static KafkaContainer start(String image) {
    DockerImageName name = DockerImageName.parse(image).asCompatibleSubstituteFor("apache/kafka");
    KafkaContainer container = new KafkaContainer(name).withImagePullPolicy(present -> false);
    BrokerProperties.oneNode().forEach((key, value) -> container.withEnv(variable(key), value));
    container.start();
    return container;
  }

  /** Kafka's images take settings as variables: {@code num.io.threads} is KAFKA_NUM_IO_THREADS. */
  private static String variable(String property) {
    return "KAFKA_" + property.replace('.', '_').toUpperCase(Locale.ROOT);
  }
}
