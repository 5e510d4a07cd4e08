package io.lensflow.worker;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.common.TopicPartition;

class ShareGroupIT extends RequestSourceContract {
  ShareGroupIT() {
    super("share-group");
  }

  /** The start offset alone would not do: it moves on with the next record only. */
  @Override
  long lag(Admin admin, Map<TopicPartition, Long> ends)
      throws InterruptedException, ExecutionException {
    Map<TopicPartition, SharePartitionOffsetInfo> done =
        admin
            .listShareGroupOffsets(Map.of(group(), new ListShareGroupOffsetsSpec()))
            .partitionsToOffsetInfo(group())
            .get();
    return ends.entrySet().stream()
        .mapToLong(
            end -> {
              SharePartitionOffsetInfo info = done.get(end.getKey());
              return info == null ? end.getValue() : info.lag().orElse(end.getValue());
            })
        .sum();
  }
}
