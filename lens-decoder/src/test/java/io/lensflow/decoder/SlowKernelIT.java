package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.batch.RowDecoder;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.service.KafkaSettings;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberDescription;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A batch that takes longer than a consumer may go without polling, and a rebalance meanwhile. */
@ExtendWith(KafkaExtension.class)
class SlowKernelIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration POLL_INTERVAL = Duration.ofSeconds(3);

  private final CountDownLatch atWork = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private DecoderTestBed bed;
  private GoldenCase golden;

  @Test
  void shouldKeepItsMembershipAndTheWorkOnPartitionsThatStayWhenABatchIsSlow(
      KafkaEnvironment environment) throws Exception {
    Path fixture = SharedData.folder("fixtures/tiny-llama31");
    golden = GoldenCase.read(fixture, "case1");
    int partitions = environment.catalogue().requestPartitions();
    List<String> ids = onePerPartition(partitions);
    try (DecoderTestBed opened = new DecoderTestBed(environment, fixture);
        Admin admin = environment.admin();
        DecoderService slow = startSlow(opened)) {
      bed = opened;
      Await.until("readiness", LIMIT, () -> slow.readiness().ready());
      ids.forEach(id -> send(id, 0));
      assertThat(atWork.await(LIMIT.toSeconds(), java.util.concurrent.TimeUnit.SECONDS)).isTrue();
      long heldSince = System.nanoTime();
      String member = members(admin).keySet().iterator().next();

      try (DecoderService other = bed.start(Map.of("lensflow.decoder.instance-id", "other"))) {
        Await.until(
            "the partitions are shared",
            LIMIT,
            () -> {
              Map<String, Integer> shares = members(admin);
              return shares.size() == 2
                  && !shares.containsValue(0)
                  && shares.values().stream().mapToInt(Integer::intValue).sum() == partitions;
            });
        Await.until(
            "twice the poll interval has passed",
            LIMIT,
            () -> {
              assertThat(members(admin)).containsKey(member);
              return System.nanoTime() - heldSince > 2 * POLL_INTERVAL.toNanos();
            });
        int kept = members(admin).get(member);
        int moved = partitions - kept;

        released.countDown();
        bed.awaitResults(partitions, LIMIT);
        ids.forEach(id -> send(id, 1));
        bed.awaitResults(2 * partitions, LIMIT);

        assertThat(members(admin)).containsKey(member);
        assertThat(bed.results.stream().map(SlowKernelIT::name).distinct())
            .as("each result once")
            .hasSize(bed.results.size())
            .hasSize(2 * partitions);
        // What stayed was decoded once, in the batch that was held; only what moved, twice.
        assertThat(rows(slow)).isEqualTo(golden.layers * (partitions + kept));
        assertThat(rows(other)).isEqualTo(golden.layers * 2 * moved);
        assertThat(DecoderTestBed.metric(slow.port(), "lensflow_decoder_transaction_aborts_total"))
            .isZero();
      }
    } finally {
      released.countDown();
    }
  }

  /** A decoder whose first batch is held until it is released. */
  private DecoderService startSlow(DecoderTestBed opened) throws Exception {
    DecoderSettings settings =
        DecoderSettings.load(opened.settings(Map.of("lensflow.decoder.instance-id", "slow")));
    KafkaSettings kafka =
        new KafkaSettings(
            opened.kafka.bootstrapServers(),
            opened.kafka.schemaRegistry(),
            opened.kafka.topicPrefix(),
            opened.kafka.requestPartitions(),
            opened.kafka.replicationFactor(),
            Map.of("max.poll.interval.ms", Long.toString(POLL_INTERVAL.toMillis())));
    return DecoderService.start(
        settings, kafka, checkpoint -> () -> held(LensHeadDecoder.load(checkpoint, 1)));
  }

  private RowDecoder held(RowDecoder head) {
    return (RowDecoder)
        Proxy.newProxyInstance(
            RowDecoder.class.getClassLoader(),
            new Class<?>[] {RowDecoder.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("decode")) {
                atWork.countDown();
                released.await();
              }
              try {
                return method.invoke(head, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static List<String> onePerPartition(int partitions) {
    Map<Integer, String> ids = new TreeMap<>();
    Stream.iterate(0, i -> i + 1)
        .map(i -> "request-" + i)
        .takeWhile(id -> ids.size() < partitions)
        .forEach(id -> ids.putIfAbsent(Partitions.of(id, partitions), id));
    return new ArrayList<>(ids.values());
  }

  private void send(String request, int sequence) {
    bed.send(
        golden.chunk(request, sequence, bed.revision, bed.tokenizerHash, sequence, sequence + 1));
  }

  private static String name(LensResult result) {
    return result.getRequestId() + "/" + result.getSequence();
  }

  private static double rows(DecoderService service) throws Exception {
    return DecoderTestBed.metric(service.port(), "lensflow_decoder_rows_total");
  }

  /** How many partitions each member of the group has. */
  private Map<String, Integer> members(Admin admin) {
    String group = bed.topics.decoderGroup(TestModel.NAME);
    try {
      Map<String, Integer> shares = new TreeMap<>();
      for (MemberDescription member :
          admin.describeConsumerGroups(List.of(group)).all().get().get(group).members()) {
        shares.put(member.consumerId(), member.assignment().topicPartitions().size());
      }
      return shares;
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }
}
