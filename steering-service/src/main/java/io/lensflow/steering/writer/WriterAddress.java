package io.lensflow.steering.writer;

import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the writer listens. Each instance carries its advertised URL in its consumer's client id,
 * so the broker's own view of the group, which decides who writes, also says where. Thread-safe.
 */
public final class WriterAddress {
  private static final Logger log = LoggerFactory.getLogger(WriterAddress.class);
  private static final String CLIENT_ID = "lensflow-steering@";
  private static final long TIMEOUT_SECONDS = 5;

  private final Admin admin;
  private final String group;
  private final TopicPartition commands;

  WriterAddress(Admin admin, String group, TopicPartition commands) {
    this.admin = admin;
    this.group = group;
    this.commands = commands;
  }

  /** The client id of an instance that listens at {@code advertised}. */
  static String clientId(URI advertised) {
    return CLIENT_ID + advertised;
  }

  /** The writer's URL; empty while there is none or the broker cannot be asked. */
  public Optional<URI> find() {
    try {
      ConsumerGroupDescription description =
          admin
              .describeConsumerGroups(List.of(group))
              .describedGroups()
              .get(group)
              .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      return description.members().stream()
          .filter(member -> member.assignment().topicPartitions().contains(commands))
          .map(MemberDescription::clientId)
          .filter(clientId -> clientId.startsWith(CLIENT_ID))
          .map(clientId -> URI.create(clientId.substring(CLIENT_ID.length())))
          .findFirst();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the writer cannot be found: group {} cannot be described: {}", group, e.toString());
      return Optional.empty();
    }
  }
}
