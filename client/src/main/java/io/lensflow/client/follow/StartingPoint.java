package io.lensflow.client.follow;

import java.time.Instant;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** From where in the log a stream begins. */
public sealed interface StartingPoint {
  /** From the oldest record that is still kept. */
  record Earliest() implements StartingPoint {}

  /** From now on. */
  record Latest() implements StartingPoint {}

  /** From the first record whose timestamp is not before a time. */
  record At(Instant time) implements StartingPoint {}

  /**
   * From exact offsets; a partition that is not named begins at its oldest record.
   *
   * @param offsets next offset to read, by partition
   */
  record Offsets(Map<TopicPartition, Long> offsets) implements StartingPoint {
    public Offsets {
      offsets = Map.copyOf(offsets);
    }
  }
}
