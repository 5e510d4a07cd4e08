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

  /** Testcontainers copies this script into the running container, which waits for it. */
  private static final String SCRIPT = "/tmp/testcontainers_start.sh";

  /**
   * Status 126: the script is there but still being written ("Text file busy"). Testcontainers' own
   * command takes that for the end, so that on a loaded machine some starts fail.
   */
  private static final String RUN_WHEN_WRITTEN =
      "while [ ! -f %1$s ]; do sleep 0.1; done; %1$s; while [ $? -eq 126 ]; do sleep 0.1; %1$s; done"
          .formatted(SCRIPT);

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
    KafkaContainer container =
        new KafkaContainer(name)
            .withImagePullPolicy(present -> false)
            .withCommand("sh", "-c", RUN_WHEN_WRITTEN);
    BrokerProperties.oneNode().forEach((key, value) -> container.withEnv(variable(key), value));
    container.start();
    return container;
  }

  /** Kafka's images take settings as variables: {@code num.io.threads} is KAFKA_NUM_IO_THREADS. */
  private static String variable(String property) {
    return "KAFKA_" + property.replace('.', '_').toUpperCase(Locale.ROOT);
  }
}
