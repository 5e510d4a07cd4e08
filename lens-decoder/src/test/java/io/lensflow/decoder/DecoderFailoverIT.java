package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.LensResult;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberDescription;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Decoders that share partitions and die with kill −9 in the middle of their work. */
@ExtendWith(KafkaExtension.class)
class DecoderFailoverIT {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final int REQUESTS = 12;
  private static final int CHUNKS = 100;

  @Test
  void shouldPublishEachResultOnceWhenDecodersJoinAndDie(KafkaEnvironment environment)
      throws Exception {
    Path fixture = SharedData.folder("fixtures/tiny-llama31");
    GoldenCase golden = GoldenCase.read(fixture, "case1");
    int total = REQUESTS * CHUNKS;
    ScheduledExecutorService worker = Executors.newSingleThreadScheduledExecutor();
    List<Process> processes = new ArrayList<>();
    try (DecoderBench bench = new DecoderBench(environment, fixture)) {
      processes.add(process(bench, "first"));
      bench.send(golden.chunk("warm-up", 0, bench.revision, bench.tokenizerHash, 0, 1));
      bench.awaitResults(1, LIMIT);
      bench.results.clear();

      AtomicInteger sent = new AtomicInteger();
      worker.scheduleAtFixedRate(
          () -> {
            int sequence = sent.getAndIncrement();
            for (int request = 0; request < REQUESTS && sequence < CHUNKS; request++) {
              int row = (sequence * 2) % (golden.rows - 3);
              bench.send(
                  golden.chunk(
                      "request-" + request,
                      sequence,
                      bench.revision,
                      bench.tokenizerHash,
                      row,
                      row + 3));
            }
          },
          0,
          100,
          TimeUnit.MILLISECONDS);

      bench.awaitResults(total / 10, LIMIT);
      try (DecoderService second = bench.start(Map.of("lensflow.decoder.instance-id", "second"))) {
        Await.until("readiness", LIMIT, () -> second.readiness().ready());
        awaitShares(environment, 2);
        bench.awaitResults(bench.results.size() + total / 20, LIMIT);
        assertThat(bench.results.size()).as("killed in the middle").isLessThan(total);
        processes.get(0).destroyForcibly().waitFor();

        processes.add(process(bench, "first"));
        bench.awaitResults(total, LIMIT);
        awaitShares(environment, 2);
      }
      // What came twice would come late: one more transaction, after all others.
      bench.send(golden.chunk("after", 0, bench.revision, bench.tokenizerHash, 0, 1));
      bench.awaitResults(total + 1, LIMIT);

      Set<String> seen = new HashSet<>();
      for (LensResult result : bench.results) {
        assertThat(result.getGap()).isNull();
        assertThat(seen.add(result.getRequestId() + "/" + result.getSequence()))
            .as("%s/%d once", result.getRequestId(), result.getSequence())
            .isTrue();
      }
      assertThat(seen).hasSize(total + 1);
      assertThat(bench.deadLetters).isEmpty();
    } finally {
      worker.shutdownNow();
      processes.forEach(Process::destroyForcibly);
    }
  }

  /** Waits until so many members have partitions, and all partitions are given out. */
  private static void awaitShares(KafkaEnvironment environment, int members) {
    String group = environment.catalogue().prefix() + "lensflow-decoder-" + TestModel.NAME;
    try (Admin admin = environment.admin()) {
      Await.until(
          members + " decoders with partitions",
          LIMIT,
          () -> {
            try {
              List<Integer> shares =
                  admin
                      .describeConsumerGroups(List.of(group))
                      .all()
                      .get()
                      .get(group)
                      .members()
                      .stream()
                      .map(MemberDescription::assignment)
                      .map(assignment -> assignment.topicPartitions().size())
                      .filter(size -> size > 0)
                      .toList();
              return shares.size() == members
                  && shares.stream().mapToInt(Integer::intValue).sum()
                      == environment.catalogue().requestPartitions();
            } catch (InterruptedException | ExecutionException e) {
              throw new IllegalStateException(e);
            }
          });
    }
  }

  private static Process process(DecoderBench bench, String instance) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> flag.startsWith("--enable-native") || flag.startsWith("--sun-misc"))
        .forEach(command::add);
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    bench
        .settings(Map.of("lensflow.decoder.instance-id", instance))
        .forEach((key, value) -> command.add("-D" + key + "=" + value));
    command.add("-Dlensflow.kafka.bootstrap-servers=" + bench.kafka.bootstrapServers());
    command.add("-Dlensflow.kafka.schema-registry=" + bench.kafka.schemaRegistry());
    command.add("-Dlensflow.kafka.topic-prefix=" + bench.kafka.topicPrefix());
    command.add("-Dlensflow.kafka.request-partitions=" + bench.kafka.requestPartitions());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(DecoderMain.class.getName());
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(new File("target/decoder-" + instance + ".log"))
        .start();
  }
}
