package io.lensflow.schemas.ids;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.utils.Utils;

/** Where a key is found. */
public final class Partitions {
  private Partitions() {}

  /**
   * The partition that Kafka's Java producer gives a key by default: murmur2 of its UTF-8 bytes.
   *
   * @param partitions how many partitions the topic has, at least 1
   */
  public static int of(String key, int partitions) {
    return Utils.toPositive(Utils.murmur2(key.getBytes(StandardCharsets.UTF_8))) % partitions;
  }
}
