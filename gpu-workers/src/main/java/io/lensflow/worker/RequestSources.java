package io.lensflow.worker;

import io.lensflow.service.KafkaClients;
import io.lensflow.worker.intake.ClassicGroupSource;
import io.lensflow.worker.intake.RequestSource;
import io.lensflow.worker.intake.ShareGroupPreparation;
import io.lensflow.worker.intake.ShareGroupSource;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Makes the request source that the settings name. */
final class RequestSources {
  /** Failover in seconds: what a dead member held is with another after so long. */
  private static final int SESSION_MILLIS = 6_000;

  private static final int HEARTBEAT_MILLIS = 1_000;

  private RequestSources() {}

  /**
   * Makes a source; prepares the broker's group for it.
   *
   * @throws WorkerStartException if the broker cannot carry it
   */
  static RequestSource of(WorkerSettings settings, KafkaClients clients, WorkerMetrics metrics) {
    String model = settings.servedName();
    String topic = settings.requests().topic(clients.settings().catalogue(), model);
    String group = settings.requests().groupId(clients.settings().catalogue(), model);
    int slots = settings.intake().slots();
    int spare = settings.intake().maxParked();
    if (settings.requests().source() == WorkerSettings.Source.CLASSIC_GROUP) {
      Map<String, Object> needs = classicConsumer(settings, group);
      return new ClassicGroupSource(topic, slots, () -> clients.bytesConsumer(needs), metrics);
    }
    try (Admin admin = clients.admin()) {
      ShareGroupPreparation.prepare(admin, group, slots, spare);
    }
    return new ShareGroupSource(
        topic,
        clients.settings().requestPartitions(),
        slots,
        spare,
        slot -> shareConsumer(clients, settings, group, slot),
        metrics);
  }

  private static Map<String, Object> classicConsumer(WorkerSettings settings, String group) {
    Map<String, Object> needs = new HashMap<>();
    needs.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    needs.put(ConsumerConfig.CLIENT_ID_CONFIG, settings.name() + "-requests");
    needs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    needs.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, settings.intake().slots());
    needs.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_MILLIS);
    needs.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, HEARTBEAT_MILLIS);
    return needs;
  }

  private static ShareConsumer<byte[], byte[]> shareConsumer(
      KafkaClients clients, WorkerSettings settings, String group, int slot) {
    Map<String, Object> config = clients.base();
    config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    config.put(ConsumerConfig.CLIENT_ID_CONFIG, settings.name() + "-slot-" + slot);
    config.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, "explicit");
    config.put(ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG, "record_limit");
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
    return new KafkaShareConsumer<>(
        config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
