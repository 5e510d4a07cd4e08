package io.lensflow.steering.pipeline;

import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.job.JobContext;
import io.lensflow.steering.topics.ShortReads;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.TimeoutException;

/** Finds which of a job's requests stand on the request topics already. Stateless. */
final class SentRequests {
  /** Enough for what a busy deployment is asked in a day. */
  private static final Duration TIMEOUT = Duration.ofMinutes(5);

  private SentRequests() {}

  /**
   * Ids of requests on some topics.
   *
   * @param job ends the search when it is stopped
   * @param topics the topics; one that does not exist holds none
   * @param since older records are not looked at
   * @param wanted which ids matter
   * @throws TimeoutException if the topics cannot be read in 5 min
   */
  static Set<String> on(
      KafkaClients clients,
      JobContext job,
      Collection<String> topics,
      Instant since,
      Predicate<String> wanted) {
    Set<String> sent = new HashSet<>();
    ShortReads.Sink sink =
        new ShortReads.Sink() {
          @Override
          public void take(ConsumerRecord<byte[], byte[]> record) {
            LensflowHeaders.get(record.headers(), LensflowHeaders.REQUEST)
                .filter(wanted)
                .ifPresent(sent::add);
          }

          @Override
          public void betweenPolls() {
            job.checkStopped();
          }
        };
    ShortReads.since(clients, topics, since, TIMEOUT, sink);
    return sent;
  }
}
