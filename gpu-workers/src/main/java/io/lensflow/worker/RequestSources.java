package io.lensflow.worker;

import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.worker.intake.ClassicGroupSource;
import io.lensflow.worker.intake.LaneSources;
import io.lensflow.worker.intake.RequestLane;
import io.lensflow.worker.intake.RequestSource;
import io.lensflow.worker.intake.ShareGroupPreparation;
import io.lensflow.worker.intake.ShareGroupSource;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.scheduling.BatchLane;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Makes the request sources that the settings name, one per lane. Immutable. */
final class RequestSources {
  /** Failover in seconds: what a dead member held is with another after so long. */
  private static final int SESSION_MILLIS = 6_000;

  private static final int HEARTBEAT_MILLIS = 1_000;

  private final WorkerSettings settings;
  private final KafkaClients clients;
  private final WorkerMetrics metrics;

  private RequestSources(WorkerSettings settings, KafkaClients clients, WorkerMetrics metrics) {
    this.settings = settings;
    this.clients = clients;
    this.metrics = metrics;
  }

  /**
   * Makes the source of a worker's requests; prepares the broker's groups for it.
   *
   * @param batch the batch lane
   * @throws WorkerStartException if the broker cannot carry it
   */
  static RequestSource of(
      WorkerSettings settings, BatchLane batch, KafkaClients clients, WorkerMetrics metrics) {
    RequestSources sources = new RequestSources(settings, clients, metrics);
    RequestSource interactive = sources.interactive();
    return batch.isServed() ? new LaneSources(interactive, sources.batch(batch)) : interactive;
  }

  private RequestSource interactive() {
    int slots = settings.intake().slots();
    int spare = settings.intake().maxParked();
    String model = settings.servedName();
    return source(
        lane(Lane.INTERACTIVE, settings.requests().topic(catalogue(), model), slots),
        settings.requests().groupId(catalogue(), model),
        new ShareGroupPreparation.Consumers(
            slots + spare,
            "lensflow.worker.slots is %d and capture.max-waiting %d".formatted(slots, spare)),
        settings.name());
  }

  private RequestSource batch(BatchLane batch) {
    String model = settings.servedName();
    return source(
        lane(Lane.BATCH, catalogue().promptRequestsBatch(model), batch.slots()),
        settings.requests().batchGroupId(catalogue(), model),
        new ShareGroupPreparation.Consumers(
            batch.slots(), "lensflow.worker.batch.slots is %d".formatted(batch.slots())),
        settings.name() + "-batch");
  }

  private RequestLane lane(Lane lane, String topic, int slots) {
    return new RequestLane(lane, topic, clients.settings().requestPartitions(), slots);
  }

  private TopicCatalogue catalogue() {
    return clients.settings().catalogue();
  }

  /**
   * @param consumers what the lane adds to a share group, those beyond its slots included
   * @param client what its consumers are called
   */
  private RequestSource source(
      RequestLane lane, String group, ShareGroupPreparation.Consumers consumers, String client) {
    if (settings.requests().source() == WorkerSettings.Source.CLASSIC_GROUP) {
      Map<String, Object> needs = classicConsumer(group, client, lane.slots());
      return new ClassicGroupSource(lane, () -> clients.bytesConsumer(needs), metrics);
    }
    try (Admin admin = clients.admin()) {
      ShareGroupPreparation.prepare(admin, group, consumers);
    }
    return new ShareGroupSource(
        lane,
        consumers.most() - lane.slots(),
        slot -> shareConsumer(group, client + "-slot-" + slot),
        metrics);
  }

  private static Map<String, Object> classicConsumer(String group, String client, int slots) {
    Map<String, Object> needs = new HashMap<>();
    needs.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    needs.put(ConsumerConfig.CLIENT_ID_CONFIG, client + "-requests");
    needs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    needs.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, slots);
    needs.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, SESSION_MILLIS);
    needs.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, HEARTBEAT_MILLIS);
    return needs;
  }

  private ShareConsumer<byte[], byte[]> shareConsumer(String group, String client) {
    Map<String, Object> config = clients.base();
    config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    config.put(ConsumerConfig.CLIENT_ID_CONFIG, client);
    config.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, "explicit");
    config.put(ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG, "record_limit");
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
    return new KafkaShareConsumer<>(
        config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
