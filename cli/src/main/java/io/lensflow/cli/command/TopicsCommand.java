package io.lensflow.cli.command;

import io.lensflow.cli.option.BrokerCheck;
import io.lensflow.cli.option.ConnectionOptions;
import io.lensflow.cli.output.Terminal;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.schemas.topics.TopicSpec;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.apache.kafka.clients.admin.Admin;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lensflow topics}: the catalogue and a broker. */
@Command(
    name = "topics",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Create Lensflow's topics, or check that a broker has them as they should be.")
public final class TopicsCommand {
  @Command(
      name = "create",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Create the topics that are missing; leave the others as they are.")
  int create(@Mixin ConnectionOptions connection, @Mixin ModelTopics models) {
    return with(
        connection,
        models,
        (admin, specs) -> {
          TopicProvisioner.create(admin, specs);
          specs.forEach(spec -> Terminal.standardOutput().println(spec.name()));
          return 0;
        });
  }

  @Command(
      name = "check",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Say what differs from the catalogue; exit code 1 if anything does.")
  int check(@Mixin ConnectionOptions connection, @Mixin ModelTopics models) {
    return with(
        connection,
        models,
        (admin, specs) -> {
          List<String> differences = TopicProvisioner.differences(admin, specs);
          differences.forEach(Terminal.standardOutput()::println);
          return differences.isEmpty() ? 0 : 1;
        });
  }

  /** Models that are served. */
  static final class ModelTopics {
    @Option(
        names = "--model",
        paramLabel = "NAME",
        description =
            "Also the request topics of this model: its batch lane, and one of its own; repeatable.")
    List<String> names = new ArrayList<>();
  }

  private static int with(
      ConnectionOptions connection,
      ModelTopics models,
      BiFunction<Admin, List<TopicSpec>, Integer> work) {
    KafkaSettings kafka = connection.kafka();
    TopicCatalogue catalogue = kafka.catalogue();
    List<TopicSpec> specs = new ArrayList<>(catalogue.specs());
    models.names.forEach(name -> specs.addAll(catalogue.specs(name)));
    Admin admin = new KafkaClients(kafka).admin();
    try {
      BrokerCheck.require(admin, kafka, connection.connectTimeout());
      return work.apply(admin, specs);
    } finally {
      // Not close(): it would wait out the calls to a broker that does not answer.
      admin.close(Duration.ZERO);
    }
  }
}
