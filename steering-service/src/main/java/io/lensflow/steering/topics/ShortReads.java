package io.lensflow.steering.topics;

import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/** Settings of consumers that read a stretch of a topic and go. */
public final class ShortReads {
  /**
   * Committed records from any offset. The broker is not let wait for more of them: a consumer
   * cannot be closed before its last fetch is answered, by default half a second later.
   */
  public static final Map<String, Object> COMMITTED =
      Map.of(
          ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
          ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
          ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 5);

  private ShortReads() {}
}
