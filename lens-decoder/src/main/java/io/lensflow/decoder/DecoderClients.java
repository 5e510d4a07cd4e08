package io.lensflow.decoder;

import io.lensflow.decoder.loss.LossFinder;
import io.lensflow.decoder.loss.RangeReader;
import io.lensflow.decoder.loss.TopicLossFinder;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicSpec;
import io.lensflow.service.KafkaClients;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;

/** The decoder's Kafka clients: what exactly-once and bounded memory need of them. Immutable. */
final class DecoderClients {
  /** Bytes that the consumer may have fetched ahead of the loop. */
  private static final int FETCH_BYTES = 16 << 20;

  private static final int FETCH_BYTES_PARTITION = 4 << 20;
  private static final int MAX_POLL_RECORDS = 64;

  /**
   * A call of the producer's may hold the loop up for this long: far below max.poll.interval.ms.
   */
  private static final int MAX_BLOCK_MILLIS = 10_000;

  private final DecoderSettings settings;
  private final KafkaClients clients;
  private final String name;
  private final String instance;

  DecoderClients(DecoderSettings settings, KafkaClients clients) {
    this.settings = settings;
    this.clients = clients;
    this.name =
        clients.settings().topicPrefix()
            + "lensflow-decoder-"
            + TopicCatalogue.topicSafe(settings.model());
    this.instance =
        settings.instanceId().isBlank() ? UUID.randomUUID().toString() : settings.instanceId();
  }

  /** A consumer in the model's own group. */
  Consumer<byte[], byte[]> consumer() {
    int session = Math.toIntExact(settings.sessionTimeout().toMillis());
    Map<String, Object> needs = new HashMap<>();
    needs.put(ConsumerConfig.GROUP_ID_CONFIG, name);
    needs.put(ConsumerConfig.CLIENT_ID_CONFIG, name + "-" + instance);
    needs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    needs.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    // The classic protocol: its session timeout is ours to choose, the newer one's is the broker's
    // (45 s), and for that long a dead decoder's rows would wait.
    needs.put(
        ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
        CooperativeStickyAssignor.class.getName());
    needs.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, session);
    needs.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, session / 4);
    needs.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
    needs.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES_PARTITION);
    needs.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, MAX_POLL_RECORDS);
    return clients.bytesConsumer(needs);
  }

  /** A producer under this instance's transactional id. */
  Producer<String, SpecificRecord> producer() {
    Map<String, Object> needs = new HashMap<>();
    needs.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, name + "-" + instance);
    needs.put(ProducerConfig.CLIENT_ID_CONFIG, name + "-" + instance);
    needs.put(
        ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
        Math.toIntExact(settings.transactionTimeout().toMillis()));
    needs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, MAX_BLOCK_MILLIS);
    // At the default of 100 ms a transaction waits that long for the end of the one before it.
    needs.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 5);
    needs.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, largestRecordBytes());
    return clients.producer(needs);
  }

  /** Finds out what holes in the log have cost. */
  LossFinder losses() {
    Map<String, Object> needs =
        Map.of(
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
            ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    return new TopicLossFinder(
        settings.model(),
        clients.settings().catalogue(),
        new RangeReader(() -> clients.bytesConsumer(needs), clients::admin),
        clients.deserializer(CompletionEvent.class),
        clients.deserializer(LensResult.class));
  }

  /** A dead letter holds a whole record of another topic. */
  private int largestRecordBytes() {
    return clients.settings().catalogue().specs().stream()
        .map(TopicSpec::configs)
        .mapToInt(configs -> Integer.parseInt(configs.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG)))
        .max()
        .orElseThrow();
  }
}
