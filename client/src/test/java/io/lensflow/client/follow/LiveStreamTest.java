package io.lensflow.client.follow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.client.ClientException;
import io.lensflow.schemas.ids.Partitions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class LiveStreamTest {
  private static final Subscription ONE =
      Subscription.to("r", Duration.ZERO).withLenses(Set.of("logit"));

  private final Log log = new Log();

  @Test
  void shouldHandOnEverythingAsItArrives() {
    log.accepted("r", "a", 1)
        .result("r", "a", "logit", 0)
        .tokens("r", "a", 5, " Paris")
        .finished("r", "a", 2)
        .result("r", "a", "logit", 1);

    assertThat(live(ONE))
        .containsExactly(
            "accepted a", "result a0", "tokens a", "ended a", "result a1", "completed");
  }

  @Test
  void shouldEndOnlyWhenTheWinnersResultsAreThere() {
    log.finished("r", "a", 1);
    LiveStream stream = new LiveStream(log.tail(ONE), ONE);
    assertThat(drain(stream)).containsExactly("ended a");
    assertThat(stream.hasEnded()).isFalse();
    assertThat(stream.missing()).hasValue("results of lens 'logit' of chunks [0] (of 1)");

    log.result("r", "b", "logit", 0).result("r", "a", "logit", 0);
    assertThat(drain(stream)).containsExactly("result a0", "completed");
    assertThat(stream.hasEnded()).isTrue();
  }

  @Test
  void shouldSayRestartedBeforeTheFirstEventOfAnotherAttempt() {
    log.accepted("r", "a", 1)
        .result("r", "a", "logit", 0)
        .attemptFailed("r", "a")
        .result("r", "b", "logit", 0)
        .accepted("r", "b", 2)
        .finished("r", "b", 1);

    assertThat(live(ONE))
        .containsExactly(
            "accepted a",
            "result a0",
            "failed a",
            "restarted b",
            "result b0",
            "accepted b",
            "ended b",
            "completed");
  }

  @Test
  void shouldShowBothAttemptsUntilOneEndsAndTheWinnerFromThenOn() {
    log.accepted("r", "a", 1)
        .accepted("r", "b", 2)
        .tokens("r", "a", 5, "x")
        .tokens("r", "b", 5, "x")
        .finished("r", "a", 1)
        .tokens("r", "b", 6, "y")
        .finished("r", "b", 1)
        .result("r", "b", "logit", 0)
        .result("r", "a", "logit", 0);

    assertThat(live(ONE))
        .containsExactly(
            "accepted a",
            "restarted b",
            "accepted b",
            "tokens a",
            "tokens b",
            "ended a",
            "result a0",
            "completed");
  }

  @Test
  void shouldHandOnARecordOnceWhenItArrivesTwice() {
    log.result("r", "a", "logit", 0).result("r", "a", "logit", 0).finished("r", "a", 1);

    assertThat(live(ONE)).containsExactly("result a0", "ended a", "completed");
  }

  @Test
  void shouldReportGapsAndCountThemAsAnswers() {
    log.gap("r", "a", "", 0).finished("r", "a", 1);

    assertThat(live(ONE)).containsExactly("gap a", "ended a", "completed");
  }

  @Test
  void shouldCarryChunksWhenTheyArrive() {
    Subscription raw = ONE.withLenses(Set.of()).withChunks();
    log.chunk("r", "a", 0).chunk("r", "a", 0).finished("r", "a", 1);

    assertThat(live(raw)).containsExactly("chunk a0", "ended a", "completed");
  }

  @Test
  void shouldReadTheOnePartitionWhereTheRequestMustBe() {
    new LiveStream(log.tail(ONE), ONE);

    int partition = Partitions.of("r", Log.PARTITIONS);
    assertThat(log.consumer.assignment())
        .containsExactlyInAnyOrder(
            new TopicPartition("completions", partition),
            new TopicPartition("lens-results", partition),
            new TopicPartition("activations", partition));
  }

  @Test
  void shouldDropOtherRequestsByHeaderWithoutDecoding() {
    String neighbour = neighbourOf("r");
    log.result(neighbour, "x", "logit", 0).result("r", "a", "logit", 0).finished("r", "a", 1);

    live(ONE);
    assertThat(log.decoded).hasSize(2);
  }

  @Test
  void shouldBeginAtTheGivenOffsetsAndAtTheOldestRecordElsewhere() {
    int partition = Partitions.of("r", Log.PARTITIONS);
    Subscription from =
        ONE.withStart(
            new StartingPoint.Offsets(Map.of(new TopicPartition("lens-results", partition), 7L)));
    new LiveStream(log.tail(from), from);

    assertThat(log.consumer.position(new TopicPartition("lens-results", partition))).isEqualTo(7);
    assertThat(log.consumer.position(new TopicPartition("completions", partition))).isZero();
  }

  @Test
  void shouldNameTheMissingTopic() {
    log.consumer.updatePartitions("completions", List.of());

    assertThatThrownBy(() -> log.tail(ONE))
        .isInstanceOf(ClientException.class)
        .hasMessageContaining("'completions' does not exist");
    assertThat(log.consumer.closed()).isTrue();
  }

  @Test
  void shouldEndAWaitWhenClosedFromAnotherThread() throws Exception {
    LiveStream stream = new LiveStream(log.tail(ONE), ONE);
    CompletableFuture<Optional<LiveEvent>> waiting =
        CompletableFuture.supplyAsync(() -> stream.next(Duration.ofMinutes(1)));
    stream.close();

    assertThatThrownBy(() -> waiting.get(10, TimeUnit.SECONDS))
        .hasCauseInstanceOf(ClientException.class)
        .hasMessageContaining("closed");
  }

  private static String neighbourOf(String request) {
    for (int i = 0; ; i++) {
      String candidate = "other-" + i;
      if (Partitions.of(candidate, Log.PARTITIONS) == Partitions.of(request, Log.PARTITIONS)) {
        return candidate;
      }
    }
  }

  private List<String> live(Subscription subscription) {
    LiveStream stream = new LiveStream(log.tail(subscription), subscription);
    List<String> events = drain(stream);
    assertThat(stream.hasEnded()).isTrue();
    return events;
  }

  private List<String> drain(LiveStream stream) {
    return log.drain(stream).stream().map(LiveStreamTest::text).toList();
  }

  private static String text(LiveEvent event) {
    String attempt = event.attemptId();
    if (event instanceof LiveEvent.ResultArrived arrived) {
      return arrived.result().getGap() != null
          ? "gap " + attempt
          : "result " + attempt + arrived.result().getSequence();
    } else if (event instanceof LiveEvent.ChunkArrived arrived) {
      return "chunk " + attempt + arrived.chunk().getSequence();
    } else if (event instanceof LiveEvent.Accepted) {
      return "accepted " + attempt;
    } else if (event instanceof LiveEvent.Restarted) {
      return "restarted " + attempt;
    } else if (event instanceof LiveEvent.TokensGenerated) {
      return "tokens " + attempt;
    } else if (event instanceof LiveEvent.AttemptFailed) {
      return "failed " + attempt;
    } else if (event instanceof LiveEvent.Completed) {
      return "completed";
    }
    return "ended " + attempt;
  }
}
