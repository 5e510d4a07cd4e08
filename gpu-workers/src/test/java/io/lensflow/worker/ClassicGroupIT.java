package io.lensflow.worker;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.TopicPartition;

class ClassicGroupIT extends RequestSourceContract {
  ClassicGroupIT() {
    super("classic-group");
  }

  @Override
  Map<TopicPartition, Long> acknowledged(Admin admin)
      throws InterruptedException, ExecutionException {
    return offsets(
        admin.listConsumerGroupOffsets(group()).partitionsToOffsetAndMetadata(group()).get());
  }
}
