package io.lensflow.cli.option;

import io.lensflow.cli.CommandFailure;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.KafkaSettings;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;

/** Whether Kafka is there: said within seconds, where its clients would wait a minute. */
public final class BrokerCheck {
  private BrokerCheck() {}

  /**
   * Returns if a broker answers.
   *
   * @param patience how long it may take
   * @throws CommandFailure if none does; names the address and the option
   */
  public static void require(KafkaSettings kafka, Duration patience) {
    Admin admin = new KafkaClients(kafka).admin();
    try {
      require(admin, kafka, patience);
    } finally {
      // Not close(): it would wait out the calls to a broker that does not answer.
      admin.close(Duration.ZERO);
    }
  }

  /** As {@link #require(KafkaSettings, Duration)}, with an admin client that the caller has. */
  public static void require(Admin admin, KafkaSettings kafka, Duration patience) {
    try {
      admin.describeCluster().nodes().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailure("interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new CommandFailure(
          "no Kafka broker answers at %s within %d s; check --bootstrap-servers"
              .formatted(kafka.bootstrapServers(), patience.toSeconds()),
          e);
    }
  }
}
