package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A decoder that has stopped, in a topic that keeps next to nothing: its group is moved by hand.
 */
@ExtendWith(KafkaExtension.class)
class CaptureLagIT {
  private static final int SLOTS = 2;
  private static final int WAITING = 4;
  private static final String KEPT_BYTES = "20000";

  @ParameterizedTest
  @ValueSource(strings = {"share-group", "classic-group"})
  void shouldHoldCapturesBackAndRunOthersWhenTheDecoderStops(
      String source, KafkaEnvironment environment) throws Exception {
    environment.createTopics();
    try (Admin admin = environment.admin();
        Traffic traffic = new Traffic(environment)) {
      keepLittle(admin, traffic);
      // The group has been here and has read nothing of what follows.
      decodeAll(admin, traffic);
      try (WorkerService worker = worker(source, "block", traffic)) {
        fill(traffic);
        Await.until(
            "readiness that says so",
            Traffic.PATIENCE,
            () -> Metrics.get(worker.port(), "/readyz").contains("requests that capture wait"));
        List<String> captures = new ArrayList<>();
        for (int i = 0; i < WAITING; i++) {
          captures.add(traffic.send(Traffic.request("wait", 3)));
        }
        Await.until(
            "all of them wait",
            Traffic.PATIENCE,
            () -> Metrics.of(worker.port(), "lensflow_worker_captures_waiting") == WAITING);
        for (int i = 0; i < SLOTS; i++) {
          CompletionEvent end = traffic.awaitEnd(traffic.send(bare()));
          assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
        }
        assertThat(captures).allSatisfy(id -> assertThat(traffic.eventsOf(id)).isEmpty());

        decodeAll(admin, traffic);

        for (String id : captures) {
          assertThat(traffic.awaitEnd(id).getType()).isEqualTo(CompletionType.FINISHED);
        }
        // What is unread is estimated by offsets; these rows are far smaller than the others.
        decodeAll(admin, traffic);
        Await.until(
            "readiness",
            Traffic.PATIENCE,
            () -> Metrics.get(worker.port(), "/readyz").equals("ready"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "share-group")
  void shouldGoOnWhenLossesAreTakenIntoAccount(String source, KafkaEnvironment environment)
      throws Exception {
    environment.createTopics();
    try (Admin admin = environment.admin();
        Traffic traffic = new Traffic(environment)) {
      keepLittle(admin, traffic);
      decodeAll(admin, traffic);
      try (WorkerService worker = worker(source, "lose", traffic)) {
        fill(traffic);
        Await.until(
            "readiness that says so",
            Traffic.PATIENCE,
            () -> Metrics.get(worker.port(), "/readyz").contains("rows may be lost"));

        CompletionEvent end = traffic.awaitEnd(traffic.send(Traffic.request("go on", 3)));

        assertThat(end.getType()).isEqualTo(CompletionType.FINISHED);
      }
    }
  }

  private static WorkerService worker(String source, String onLag, Traffic traffic) {
    return Workers.scripted(
        "lagging-" + source,
        new ScriptedEngine.Script(),
        traffic.kafka(),
        Map.of(
            "slots",
            SLOTS,
            "request-source",
            source,
            "capture.on-lag",
            onLag,
            "capture.check-interval",
            "100ms"));
  }

  /** Chunks of some worker, in every partition more than it keeps. */
  private static void fill(Traffic traffic) {
    for (int i = 0; i < 10 * traffic.topics.requestPartitions(); i++) {
      ActivationChunk chunk =
          ActivationChunk.newBuilder()
              .setRequestId("filler-" + i)
              .setPayload(ByteBuffer.allocate(Integer.parseInt(KEPT_BYTES)))
              .build();
      traffic.publish(traffic.topics.activations(), chunk.getRequestId(), chunk);
    }
  }

  private static PromptRequest bare() {
    return Traffic.request("abc", 3, r -> r.getCapture().setHookPoints(List.of()));
  }

  private static void keepLittle(Admin admin, Traffic traffic)
      throws ExecutionException, InterruptedException {
    ConfigResource topic =
        new ConfigResource(ConfigResource.Type.TOPIC, traffic.topics.activations());
    AlterConfigOp little =
        new AlterConfigOp(new ConfigEntry("retention.bytes", KEPT_BYTES), AlterConfigOp.OpType.SET);
    admin.incrementalAlterConfigs(Map.of(topic, List.of(little))).all().get();
  }

  /** Moves the decoder's group to the end. */
  private static void decodeAll(Admin admin, Traffic traffic)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    for (int p = 0; p < traffic.topics.requestPartitions(); p++) {
      wanted.put(new TopicPartition(traffic.topics.activations(), p), OffsetSpec.latest());
    }
    Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
    admin
        .listOffsets(wanted)
        .all()
        .get()
        .forEach((partition, end) -> ends.put(partition, new OffsetAndMetadata(end.offset())));
    admin.alterConsumerGroupOffsets(traffic.topics.decoderGroup("scripted"), ends).all().get();
  }
}
