package io.lensflow.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.Gap;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.testkit.Await;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.lensflow.testkit.SharedData;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A decoder that comes back after retention has deleted rows that it never read. */
@ExtendWith(KafkaExtension.class)
class RetentionIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private DecoderTestBed bed;
  private GoldenCase golden;

  @Test
  void shouldReportExactlyWhatWasLostWhenRetentionTookUnreadChunks(KafkaEnvironment environment)
      throws Exception {
    Path fixture = SharedData.folder("fixtures/tiny-llama31");
    golden = GoldenCase.read(fixture, "case1");
    int partitions = environment.catalogue().requestPartitions();
    List<String> ids =
        Stream.iterate(0, i -> i + 1)
            .map(i -> "request-" + i)
            .filter(id -> Partitions.of(id, partitions) == 0)
            .limit(4)
            .toList();
    String whole = ids.get(0);
    String tail = ids.get(1);
    String head = ids.get(2);
    String running = ids.get(3);
    try (DecoderTestBed opened = new DecoderTestBed(environment, fixture);
        Admin admin = environment.admin()) {
      bed = opened;
      ids.forEach(bed::accept);
      try (DecoderService first = ready(bed.start(Map.of()))) {
        send(whole, 0, 1);
        send(tail, 0, 1);
        send(running, 0);
        bed.awaitResults(5, LIMIT);
        assertThat(first.readiness().ready()).isTrue();
      }

      // All of this is deleted unread: the ends of two requests and the beginning of one.
      send(tail, 2, 3, 4);
      send(running, 1);
      send(head, 0, 1);
      bed.finish(whole, 2);
      bed.finish(tail, 5);
      bed.deleteChunks(admin, 0);
      send(head, 2);
      bed.finish(head, 3);
      try (DecoderService second = ready(bed.start(Map.of()))) {
        bed.awaitResults(8, LIMIT);
        assertThat(DecoderTestBed.metric(second.port(), "lensflow_decoder_lost_records_total"))
            .isEqualTo(6);
        assertThat(DecoderTestBed.metric(second.port(), "lensflow_decoder_lost_chunks_total"))
            .isEqualTo(5);
      }
      assertThat(missing(tail)).containsExactly(2, 3, 4);
      assertThat(missing(head)).containsExactly(0, 1);
      assertThat(decoded(head)).containsExactly(2);

      // One request still runs when its chunk is lost, and ends while no decoder is there.
      bed.finish(running, 2);
      try (DecoderService third = ready(bed.start(Map.of()))) {
        bed.awaitResults(9, LIMIT);
        assertThat(third.readiness().ready()).isTrue();
      }
      assertThat(missing(running)).containsExactly(1);

      // Every chunk is answered now, and no decoder says anything of them again.
      try (DecoderService last = ready(bed.start(Map.of()))) {
        send(whole, 2);
        bed.awaitResults(10, LIMIT);
        assertThat(DecoderTestBed.metric(last.port(), "lensflow_decoder_gaps_total")).isZero();
      }
      assertThat(bed.results).hasSize(10);
      assertThat(missing(whole)).isEmpty();
      assertThat(answered(tail)).containsExactly(0, 1, 2, 3, 4);
      for (LensResult result : bed.results) {
        Gap gap = result.getGap();
        if (gap != null) {
          assertThat(gap.getFirstOffset()).isEqualTo(5);
          assertThat(gap.getLastOffset()).isEqualTo(10);
          assertThat(result.getAttemptId()).isEqualTo(result.getRequestId() + "-attempt");
        }
      }
    }
  }

  private static DecoderService ready(DecoderService service) {
    Await.until("readiness", LIMIT, () -> service.readiness().ready());
    return service;
  }

  private void send(String request, int... sequences) {
    for (int sequence : sequences) {
      bed.send(
          golden.chunk(request, sequence, bed.revision, bed.tokenizerHash, sequence, sequence + 1));
    }
  }

  private List<Integer> missing(String request) {
    List<Integer> missing = new ArrayList<>();
    bed.results.stream()
        .filter(result -> result.getRequestId().equals(request) && result.getGap() != null)
        .forEach(result -> missing.addAll(result.getGap().getMissingSequences()));
    return missing;
  }

  private List<Integer> decoded(String request) {
    return bed.results.stream()
        .filter(result -> result.getRequestId().equals(request) && result.getGap() == null)
        .map(LensResult::getSequence)
        .toList();
  }

  private TreeSet<Integer> answered(String request) {
    TreeSet<Integer> answered = new TreeSet<>(decoded(request));
    answered.addAll(missing(request));
    return answered;
  }
}
