package io.lensflow.testkit;

import io.lensflow.schemas.topics.TopicCatalogue;
import java.util.Locale;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests a {@link KafkaEnvironment}: {@code @ExtendWith(KafkaExtension.class)}, then a
 * parameter of that type in a constructor, a {@code @BeforeAll} method or a test. The first that
 * asks starts the broker and the registry, the end of the JVM's tests stops them (Maven runs each
 * class by itself, so that JUnit's root store would not outlive one), and each test class gets
 * topic names of its own.
 *
 * <p>The broker is a container where a Docker engine answers and has the image that the environment
 * variable {@code LENSFLOW_TEST_KAFKA_IMAGE} names; else the embedded one, in a child JVM. The
 * image is {@code apache/kafka} or one laid out like it: {@code docker/kafka-test} makes one, and
 * {@code docker/README.md} says how.
 */
public final class KafkaExtension implements ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(KafkaExtension.class);
  private static final int REQUEST_PARTITIONS = 3;

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == KafkaEnvironment.class;
  }

  @Override
  public KafkaEnvironment resolveParameter(ParameterContext parameter, ExtensionContext context) {
    SharedKafka kafka =
        context
            .getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
            .computeIfAbsent(SharedKafka.class, key -> SharedKafka.start(), SharedKafka.class);
    String testClass = context.getRequiredTestClass().getName();
    return kafka.environments.computeIfAbsent(testClass, name -> environment(kafka, name));
  }

  private static KafkaEnvironment environment(SharedKafka kafka, String testClass) {
    String simple = testClass.substring(testClass.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    String prefix = simple.replaceAll("[^a-z0-9]", "-") + "-" + kafka.environments.size() + ".";
    return new KafkaEnvironment(
        kafka.bootstrapServers(),
        kafka.registryUri(),
        new TopicCatalogue(prefix, REQUEST_PARTITIONS, (short) 1));
  }
}
