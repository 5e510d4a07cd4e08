package io.lensflow.client.follow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.client.WaitTimeoutException;
import io.lensflow.records.CompletionType;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.ids.Ids;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SettledStreamTest {
  private static final Subscription ONE =
      Subscription.to("r", Duration.ZERO).withLenses(Set.of("logit"));

  private final Log log = new Log();

  @Test
  void shouldHandOnOutcomeThenRowsInOrderThenCompleteWhenOneAttemptFinishes() {
    log.accepted("r", "a", 1)
        .result("r", "a", "logit", 0)
        .tokens("r", "a", 5, " Paris")
        .result("r", "a", "logit", 1)
        .finished("r", "a", 2);

    assertThat(settled(ONE)).containsExactly("outcome a FINISHED", "a0", "a1", "complete");
  }

  @Test
  void shouldCarryTheWinnersTokensWhenAttemptsOverlap() {
    log.accepted("r", "a", 1)
        .tokens("r", "a", 5, " Lon")
        .accepted("r", "b", 2)
        .tokens("r", "b", 5, " Paris")
        .tokens("r", "a", 6, "don")
        .finished("r", "b", 0);

    SettledEvent first = new SettledStream(log.tail(ONE), ONE, Instant.EPOCH).await(second());
    SettledEvent.Outcome outcome = (SettledEvent.Outcome) first;
    assertThat(outcome.accepted().orElseThrow().getAttemptId()).isEqualTo("b");
    assertThat(outcome.tokens())
        .flatExtracting(event -> event.getTokens().getTexts())
        .containsExactly(" Paris");
  }

  @Test
  void shouldHandOnTheSecondAttemptOnlyWhenTheFirstDied() {
    log.accepted("r", "a", 1)
        .result("r", "a", "logit", 0)
        .result("r", "a", "logit", 1)
        .accepted("r", "b", 2)
        .result("r", "b", "logit", 0)
        .finished("r", "b", 1);

    assertThat(settled(ONE)).containsExactly("outcome b FINISHED", "b0", "complete");
  }

  @Test
  void shouldNeverDecodeALosersRows() {
    log.result("r", "a", "logit", 0).result("r", "b", "logit", 0).finished("r", "b", 1);

    settled(ONE);
    assertThat(log.decoded)
        .filteredOn(LensResult.class::isInstance)
        .extracting(value -> ((LensResult) value).getAttemptId())
        .containsExactly("b");
  }

  @Test
  void shouldStandByTheFirstTerminalEventWhenAnotherAttemptEndsLater() {
    log.result("r", "a", "logit", 0)
        .result("r", "b", "logit", 0)
        .finished("r", "b", 2)
        .finished("r", "a", 1)
        .failed("r", "c")
        .result("r", "a", "logit", 1)
        .result("r", "b", "logit", 1);

    assertThat(settled(ONE)).containsExactly("outcome b FINISHED", "b0", "b1", "complete");
  }

  @Test
  void shouldHandOnEachRowOnceWhenRecordsAreDoubled() {
    log.result("r", "a", "logit", 0)
        .result("r", "a", "logit", 0)
        .finished("r", "a", 2)
        .result("r", "a", "logit", 0)
        .result("r", "a", "logit", 1)
        .result("r", "a", "logit", 1);

    assertThat(settled(ONE)).containsExactly("outcome a FINISHED", "a0", "a1", "complete");
  }

  @Test
  void shouldPutRowsInOrderWhenChunksAndPartsArriveOutOfOrder() {
    log.finished("r", "a", 3)
        .result("r", "a", "logit", 2)
        .result("r", "a", "logit", 1, 1, 2)
        .result("r", "a", "logit", 0)
        .result("r", "a", "logit", 1, 0, 2);

    assertThat(settled(ONE))
        .containsExactly("outcome a FINISHED", "a0", "a1.0", "a1.1", "a2", "complete");
  }

  @Test
  void shouldWaitForEveryLensWhenSeveralWereAsked() {
    Subscription two = ONE.withLenses(Set.of("logit", "tuned"));
    log.result("r", "a", "logit", 0).finished("r", "a", 1).result("r", "a", "other", 0);
    SettledStream stream = new SettledStream(log.tail(two), two, Instant.EPOCH);

    assertThat(drain(stream)).containsExactly("outcome a FINISHED", "a0");
    assertThat(stream.missing()).hasValue("results of lens 'tuned' of chunks [0] (of 1)");

    log.result("r", "a", "tuned", 0);
    assertThat(drain(stream)).containsExactly("a0", "complete");
    assertThat(stream.hasEnded()).isTrue();
  }

  @Test
  void shouldKnowFromFinishedWhichLensesAnswerWhenNoneWereNamed() {
    Subscription any = Subscription.to("r", Duration.ZERO);
    log.result("r", "a", "logit", 0).finished("r", "a", 1, List.of("logit", "tuned"));
    SettledStream stream = new SettledStream(log.tail(any), any, Instant.EPOCH);
    assertThat(drain(stream)).containsExactly("outcome a FINISHED", "a0");

    log.result("r", "a", "tuned", 0);
    assertThat(drain(stream)).containsExactly("a0", "complete");
  }

  @Test
  void shouldCompleteAtOnceWhenFinishedSaysThatNoLensAnswers() {
    log.finished("r", "a", 4, List.of());

    assertThat(settled(Subscription.to("r", Duration.ZERO)))
        .containsExactly("outcome a FINISHED", "complete");
  }

  @Test
  void shouldCompleteByTheLensesSeenWhenNobodyNamesThem() {
    Subscription any = Subscription.to("r", Duration.ZERO);
    log.finished("r", "a", 2).result("r", "a", "tuned", 0).result("r", "a", "tuned", 1);

    assertThat(settled(any)).containsExactly("outcome a FINISHED", "a0", "a1", "complete");
  }

  @Test
  void shouldCarryRawChunksInSequenceWhenAsked() {
    Subscription raw = ONE.withLenses(Set.of()).withChunks();
    log.chunk("r", "a", 1).chunk("r", "b", 0).finished("r", "a", 2).chunk("r", "a", 0);

    assertThat(settled(raw))
        .containsExactly("outcome a FINISHED", "chunk 0", "chunk 1", "complete");
  }

  @Test
  void shouldReportLostRowsAndGoOnWhenAGapNamesThem() {
    log.result("r", "a", "logit", 2)
        .gap("r", "a", "", 0, 1)
        .gap("r", "b", "", 2)
        .finished("r", "a", 3);

    assertThat(settled(ONE)).containsExactly("outcome a FINISHED", "lost [0, 1]", "a2", "complete");
  }

  @Test
  void shouldEndWithoutRowsWhenTheRequestFailed() {
    log.result("r", "a", "logit", 0).failed("r", "a");

    assertThat(settled(ONE)).containsExactly("outcome a FAILED", "complete");
  }

  @Test
  void shouldEndWhenTheRequestWasRefusedBeforeAnyAttempt() {
    log.failed("r", "");

    assertThat(settled(ONE)).containsExactly("outcome  FAILED", "complete");
  }

  @Test
  void shouldSayWhatIsMissingWhenTheWaitRunsOut() {
    log.result("r", "a", "logit", 1).finished("r", "a", 3);
    SettledStream stream = new SettledStream(log.tail(ONE), ONE, Instant.EPOCH);

    assertThatThrownBy(() -> SettledRequest.gather(stream, Duration.ofMillis(50)))
        .isInstanceOf(WaitTimeoutException.class)
        .hasMessageContaining("lens 'logit' of chunks [0, 2] (of 3)");
  }

  @Test
  void shouldLeaveOutARecordThatCannotBeReadAndMissIt() {
    log.damagedResult("r", "a").result("r", "a", "logit", 0).finished("r", "a", 2);
    SettledStream stream = new SettledStream(log.tail(ONE), ONE, Instant.EPOCH);

    assertThat(drain(stream)).containsExactly("outcome a FINISHED", "a0");
    assertThat(stream.missing()).hasValue("results of lens 'logit' of chunks [1] (of 2)");
  }

  @Test
  void shouldStopReadingResultsWhenItHoldsTooMuchAndResumeWhenTheRequestIsDecided() {
    Subscription small = ONE.withHeldBytes(250);
    log.weighing(100);
    SettledStream stream = new SettledStream(log.tail(small), small, Instant.EPOCH);
    log.result("r", "a", "logit", 0).result("r", "a", "logit", 1);
    assertThat(drain(stream)).isEmpty();
    assertThat(log.consumer.paused()).isEmpty();

    log.result("r", "b", "logit", 0);
    assertThat(drain(stream)).isEmpty();
    assertThat(log.consumer.paused())
        .extracting(partition -> partition.topic())
        .containsExactlyInAnyOrder("lens-results", "activations");

    log.finished("r", "a", 2);
    assertThat(drain(stream)).containsExactly("outcome a FINISHED", "a0", "a1", "complete");
    assertThat(log.consumer.paused()).isEmpty();
  }

  @Test
  void shouldGiveUpARequestWhenTooMuchOfItCameTooEarly() {
    Subscription small = ONE.withHeldBytes(250);
    log.weighing(100).finished("r", "a", 9);
    for (int sequence = 1; sequence < 5; sequence++) {
      log.result("r", "a", "logit", sequence);
    }

    assertThat(settled(small))
        .satisfiesExactly(
            first -> assertThat(first).isEqualTo("outcome a FINISHED"),
            last -> assertThat(last).startsWith("abandoned").contains("chunks [0, "));
  }

  @Test
  void shouldSettleEachOfAllRequestsByItself() {
    Subscription all = Subscription.toAll(new StartingPoint.Earliest());
    String first = Ids.newId();
    String second = Ids.newId();
    log.result(first, "a", "logit", 0)
        .result(second, "b", "logit", 0)
        .finished(second, "b", 1)
        .result(second, "x", "logit", 0)
        .finished(first, "a", 1);
    SettledStream stream = new SettledStream(log.tail(all), all, Instant.now());

    List<SettledEvent> events = log.drain(stream);
    assertThat(events).filteredOn(event -> event.requestId().equals(first)).hasSize(3);
    assertThat(events).filteredOn(event -> event.requestId().equals(second)).hasSize(3);
    assertThat(stream.hasEnded()).isFalse();
  }

  @Test
  void shouldLeaveOutRequestsOfWhichItSawNotTheBeginning() {
    Instant now = Instant.now().plusSeconds(60);
    Subscription all = Subscription.toAll(new StartingPoint.Latest());
    String old = Ids.newId();
    SettledStream stream = new SettledStream(log.tail(all), all, now);
    log.result(old, "a", "logit", 4).finished(old, "a", 5);

    assertThat(drain(stream)).isEmpty();
  }

  @Test
  void shouldGiveUpASilentRequestWhenAllAreFollowed() {
    Subscription all =
        Subscription.toAll(new StartingPoint.Earliest()).withAbandonAfter(Duration.ofMillis(20));
    log.result("r", "a", "logit", 0);
    SettledStream stream = new SettledStream(log.tail(all), all, Instant.now());

    assertThat(text(stream.await(second()))).startsWith("abandoned").contains("its terminal event");
  }

  private List<String> settled(Subscription subscription) {
    SettledStream stream = new SettledStream(log.tail(subscription), subscription, Instant.EPOCH);
    List<String> events = drain(stream);
    assertThat(stream.hasEnded()).isTrue();
    assertThat(stream.missing()).isEmpty();
    return events;
  }

  private List<String> drain(SettledStream stream) {
    return log.drain(stream).stream().map(SettledStreamTest::text).toList();
  }

  private static Duration second() {
    return Duration.ofSeconds(1);
  }

  private static String text(SettledEvent event) {
    if (event instanceof SettledEvent.Outcome outcome) {
      CompletionType type = outcome.terminal().getType();
      return "outcome " + outcome.terminal().getAttemptId() + " " + type;
    } else if (event instanceof SettledEvent.Results rows) {
      LensResult result = rows.result();
      String part = result.getParts() == 1 ? "" : "." + result.getPart();
      return result.getAttemptId() + result.getSequence() + part;
    } else if (event instanceof SettledEvent.Chunk rows) {
      return "chunk " + rows.chunk().getSequence();
    } else if (event instanceof SettledEvent.Lost lost) {
      return "lost " + lost.gap().getGap().getMissingSequences();
    } else if (event instanceof SettledEvent.Abandoned abandoned) {
      return "abandoned: " + abandoned.reason();
    }
    return "complete";
  }
}
