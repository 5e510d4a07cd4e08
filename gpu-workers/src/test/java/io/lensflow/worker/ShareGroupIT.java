package io.lensflow.worker;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.common.TopicPartition;

class ShareGroupIT extends RequestSourceContract {
  ShareGroupIT() {
    super("share-group");
  }

  @Override
  Map<TopicPartition, Long> acknowledged(Admin admin)
      throws InterruptedException, ExecutionException {
    Map<TopicPartition, Long> plain = new HashMap<>();
    admin
        .listShareGroupOffsets(Map.of(group(), new ListShareGroupOffsetsSpec()))
        .partitionsToOffsetInfo(group())
        .get()
        .forEach((p, info) -> plain.put(p, info == null ? 0L : info.startOffset()));
    return plain;
  }
}
