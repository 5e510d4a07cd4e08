package io.lensflow.steering.writer;

import io.lensflow.steering.vector.Change;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * A change that was written.
 *
 * @param change what
 * @param next per partition of the steering topics the offset behind its records: whoever has
 *     applied everything before it has applied the change
 */
public record Written(Change change, Map<TopicPartition, Long> next) {
  public Written {
    next = Map.copyOf(next);
  }
}
