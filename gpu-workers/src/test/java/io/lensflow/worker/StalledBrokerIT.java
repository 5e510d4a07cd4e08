package io.lensflow.worker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.platform.broker.BrokerOptions;
import io.lensflow.platform.broker.EmbeddedBroker;
import io.lensflow.platform.registry.EmbeddedRegistry;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.HookPoint;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A broker that stops in the middle of everything, as at a full disk, and goes on again. */
class StalledBrokerIT {
  private static final int MEBIBYTE = 1 << 20;
  private static final int SLOTS = 4;
  private static final int REQUESTS = 12;
  private static final int TOKENS = 180;

  /** D: a position of all layers and hook points takes 112 KiB, a request 20 MiB. */
  private static final int HIDDEN = 1024;

  private static final long BUFFER = 4 * MEBIBYTE;

  /**
   * What the heap may grow by: the buffer in rows, in chunks made of them, and serialised, and as
   * much again for everything else. Without backpressure it would be 80 MiB.
   */
  private static final long HEAP = 6 * BUFFER;

  @Test
  void shouldHoldStillWithinItsMemoryAndGoOnByItselfWhenTheBrokerStalls() throws Exception {
    ScriptedEngine.Script script = new ScriptedEngine.Script();
    script.hidden = HIDDEN;
    try (EmbeddedBroker broker = EmbeddedBroker.start(BrokerOptions.temporary());
        EmbeddedRegistry registry = EmbeddedRegistry.start(broker.bootstrapServers(), 0)) {
      KafkaEnvironment environment =
          new KafkaEnvironment(
              broker.bootstrapServers(),
              registry.uri(),
              new TopicCatalogue("stalled.", 3, (short) 1));
      environment.createTopics();
      try (Traffic traffic = new Traffic(environment);
          WorkerService worker =
              Workers.scripted(
                  "stalled",
                  script,
                  traffic.kafka(),
                  Map.of("slots", SLOTS, "publisher.buffer-bytes", BUFFER))) {
        traffic.awaitEnd(traffic.send(Traffic.request("warm up", 20)));
        script.stepNanos = 2_000_000;
        traffic.dropPayloads = true;
        long before = usedHeap();
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
          ids.add(traffic.send(large()));
        }
        traffic.await(ids.get(0), e -> e.getType() == CompletionType.TOKENS);

        signal(broker, "STOP");
        try {
          Await.until(
              "generation stops",
              Duration.ofSeconds(30),
              () -> metric(worker, "buffered_bytes") > BUFFER - 4L * 112 * 1024);
          double taken = metric(worker, "requests_total");
          int steps = script.steps().size();
          long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
          while (System.nanoTime() < end) {
            assertThat(metric(worker, "buffered_bytes")).isLessThanOrEqualTo(BUFFER);
          }
          assertThat(usedHeap() - before).isLessThan(HEAP);
          assertThat(metric(worker, "requests_total")).as("nothing is admitted").isEqualTo(taken);
          // What the buffer had room for when we looked, no more.
          assertThat(script.steps().size() - steps).isLessThanOrEqualTo(4);
        } finally {
          signal(broker, "CONT");
        }

        for (String id : ids) {
          CompletionEvent done = traffic.awaitEnd(id);
          assertThat(done.getType()).isEqualTo(CompletionType.FINISHED);
          assertThat(done.getAttempt()).isEqualTo(1);
          int chunks = done.getFinished().getChunks();
          Await.until(Traffic.PATIENCE, () -> traffic.chunksOf(id).size() >= chunks);
          assertThat(traffic.chunksOf(id))
              .extracting(chunk -> chunk.value().getSequence())
              .containsExactlyElementsOf(IntStream.range(0, chunks).boxed().toList());
          assertThat(
                  traffic.chunksOf(id).stream()
                      .map(Traffic.Seen::value)
                      .filter(chunk -> chunk.getHookPoint() == HookPoint.RESIDUAL_POST)
                      .map(ActivationChunk::getPositions)
                      .mapToInt(List::size)
                      .sum())
              .isEqualTo(done.getFinished().getRows());
        }
      }
    }
  }

  private static io.lensflow.records.PromptRequest large() {
    return Traffic.request(
        "abc",
        TOKENS,
        r ->
            r.getCapture()
                .setHookPoints(
                    Arrays.stream(HookPoint.values())
                        .filter(point -> point != HookPoint.UNKNOWN)
                        .toList()));
  }

  private static void signal(EmbeddedBroker broker, String name)
      throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(broker.pid())).start();
    assertThat(kill.waitFor()).isZero();
  }

  private static long usedHeap() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static double metric(WorkerService worker, String name) {
    return Metrics.of(worker.port(), "lensflow_worker_" + name);
  }
}
