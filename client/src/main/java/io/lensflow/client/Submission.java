package io.lensflow.client;

import io.lensflow.records.PromptRequest;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * A request that the broker has stored. Immutable.
 *
 * @param request the request as it was sent: id and creation time filled in
 * @param topic the topic it was sent to
 * @param offset its offset in the partition that its id maps to
 * @param startOffsets where the request-keyed topics ended just before it was sent: nothing about
 *     it can lie earlier, whatever anybody's clock says
 */
public record Submission(
    PromptRequest request, String topic, long offset, Map<TopicPartition, Long> startOffsets) {
  public Submission {
    startOffsets = Map.copyOf(startOffsets);
  }

  /** Id of the request. */
  public String requestId() {
    return request.getRequestId();
  }
}
