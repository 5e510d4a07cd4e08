package io.lensflow.worker;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

class ClassicGroupIT extends RequestSourceContract {
  ClassicGroupIT() {
    super("classic-group");
  }

  @Override
  long lag(Admin admin, Map<TopicPartition, Long> ends)
      throws InterruptedException, ExecutionException {
    Map<TopicPartition, OffsetAndMetadata> done =
        admin.listConsumerGroupOffsets(group()).partitionsToOffsetAndMetadata(group()).get();
    return ends.entrySet().stream()
        .mapToLong(
            end -> {
              OffsetAndMetadata offset = done.get(end.getKey());
              return end.getValue() - (offset == null ? 0 : offset.offset());
            })
        .sum();
  }
}
