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
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Decoders that share partitions and die with kill −9 in the middle of their work. */
@ExtendWith(KafkaExtension.class)
class DecoderFailoverIT {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final int REQUESTS = 12;
  private static final int KILLS = 1;

  /** Results of a decoder that are awaited before it is killed: it is at work then. */
  private static final int AT_WORK = 40;

  @Test
  void shouldPublishEachResultOnceWhenDecodersJoinAndDie(KafkaEnvironment environment)
      throws Exception {
    Path fixture = SharedData.folder("fixtures/tiny-llama31");
    GoldenCase golden = GoldenCase.read(fixture, "case1");
    ScheduledExecutorService worker = Executors.newSingleThreadScheduledExecutor();
    AtomicInteger sequences = new AtomicInteger();
    Set<String> dead = new HashSet<>();
    Process first = null;
    try (DecoderTestBed bed = new DecoderTestBed(environment, fixture);
        DecoderService second = bed.start(Map.of("lensflow.decoder.instance-id", "second"))) {
      Await.until("readiness", LIMIT, () -> second.readiness().ready());
      worker.scheduleAtFixedRate(
          () -> send(bed, golden, sequences.getAndIncrement()), 0, 30, TimeUnit.MILLISECONDS);
      for (int kill = 0; kill < KILLS; kill++) {
        first = process(bed, "first");
        for (int partition : awaitShareOf("first", dead, environment)) {
          bed.awaitResults(partition, AT_WORK, LIMIT);
        }
        first.destroyForcibly().waitFor();
      }
      first = process(bed, "first");
      awaitShareOf("first", dead, environment);
      worker.shutdown();
      assertThat(worker.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
      int total = REQUESTS * sequences.get();
      bed.awaitResults(total, LIMIT);

      // What came twice would come late: one more round of transactions, after all others.
      send(bed, golden, sequences.getAndIncrement());
      bed.awaitResults(total + REQUESTS, LIMIT);

      Set<String> seen = new HashSet<>();
      for (LensResult result : bed.results) {
        assertThat(result.getGap()).isNull();
        assertThat(seen.add(result.getRequestId() + "/" + result.getSequence()))
            .as("%s/%d once", result.getRequestId(), result.getSequence())
            .isTrue();
      }
      assertThat(seen).hasSize(total + REQUESTS);
      assertThat(bed.deadLetters).isEmpty();
    } finally {
      worker.shutdownNow();
      if (first != null) {
        first.destroyForcibly();
      }
    }
  }

  /** One chunk of 3 positions for each request. */
  private static void send(DecoderTestBed bed, GoldenCase golden, int sequence) {
    int row = (sequence * 2) % (golden.rows - 3);
    for (int request = 0; request < REQUESTS; request++) {
      bed.send(
          golden.chunk(
              "request-" + request, sequence, bed.revision, bed.tokenizerHash, row, row + 3));
    }
  }

  /**
   * Waits until two decoders share all partitions, and says which ones this one has.
   *
   * @param dead members of the instance's former lives, which the group must have given up; the
   *     member found is added
   */
  private static Set<Integer> awaitShareOf(
      String instance, Set<String> dead, KafkaEnvironment environment) {
    String group = environment.catalogue().decoderGroup(TestModel.NAME);
    Set<Integer> share = new HashSet<>();
    AtomicReference<String> found = new AtomicReference<>();
    try (Admin admin = environment.admin()) {
      Await.until(
          "two decoders that share all partitions",
          LIMIT,
          () -> {
            share.clear();
            int rest = 0;
            for (MemberDescription member : members(admin, group)) {
              for (TopicPartition partition : member.assignment().topicPartitions()) {
                if (member.clientId().endsWith(instance) && !dead.contains(member.consumerId())) {
                  share.add(partition.partition());
                  found.set(member.consumerId());
                } else {
                  rest += dead.contains(member.consumerId()) ? 0 : 1;
                }
              }
            }
            return !share.isEmpty()
                && rest > 0
                && share.size() + rest == environment.catalogue().requestPartitions();
          });
    }
    dead.add(found.get());
    return share;
  }

  private static Collection<MemberDescription> members(Admin admin, String group) {
    try {
      return admin.describeConsumerGroups(List.of(group)).all().get().get(group).members();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Process process(DecoderTestBed bed, String instance) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> flag.startsWith("--enable-native") || flag.startsWith("--sun-misc"))
        .forEach(command::add);
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    bed.settings(
            Map.of(
                "lensflow.decoder.instance-id",
                instance,
                // Always in the middle of one, so that a kill leaves it open.
                "lensflow.decoder.transaction-age",
                "500ms"))
        .forEach((key, value) -> command.add("-D" + key + "=" + value));
    command.add("-Dlensflow.kafka.bootstrap-servers=" + bed.kafka.bootstrapServers());
    command.add("-Dlensflow.kafka.schema-registry=" + bed.kafka.schemaRegistry());
    command.add("-Dlensflow.kafka.topic-prefix=" + bed.kafka.topicPrefix());
    command.add("-Dlensflow.kafka.request-partitions=" + bed.kafka.requestPartitions());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(DecoderMain.class.getName());
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(new File("target/decoder-" + instance + ".log"))
        .start();
  }
}
