package io.lensflow.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.CompletionType;
import io.lensflow.records.DeadLetter;
import io.lensflow.records.PromptRequest;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.scheduling.StepScheduler;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Attempts of a request, made here and elsewhere, and when it is given up. */
class AttemptsTest extends IntakeStage {
  private void fail(Run run) {
    intake.tell(
        new RequestIntake.SchedulerHeard(
            new StepScheduler.AttemptFailed(run.requestId(), run.attemptId(), "broken")));
  }

  @Test
  void shouldCountEarlierAttemptsWhenARequestIsDeliveredAgain() {
    PromptRequest request = Traffic.request("abc", 3);
    histories.put(request.getRequestId(), new RequestHistory(false, past(2)));

    deliver(request, 3);

    Run run = submitted();
    assertThat(run.attempt().number()).isEqualTo(3);
    assertThat(run.last()).isTrue();
  }

  @Test
  void shouldGiveUpBeforeRunningWhenAllAttemptsAreUsed() {
    PromptRequest request = Traffic.request("abc", 3);
    histories.put(request.getRequestId(), new RequestHistory(false, past(3)));

    long ticket = deliver(request, 4);

    awaitCompleted(ticket);
    assertGivenUp(request);
    DeadLetter letter = (DeadLetter) producer.history().get(0).value();
    assertThat(letter.getAttempts()).isEqualTo(3);
    assertThat(letter.getFailure().getMessage())
        .contains("attempt-1 on worker elsewhere: never ended", "attempt-2 on", "attempt-3 on");
  }

  @Test
  void shouldGiveUpBeforeRunningWhenTheBrokerIsAboutToDropTheRecord() {
    PromptRequest request = Traffic.request("abc", 3);

    long ticket = deliver(request, 9);

    awaitCompleted(ticket);
    assertGivenUp(request);
  }

  private void assertGivenUp(PromptRequest request) {
    scheduler.expectNoMessage(Duration.ofMillis(30));
    assertThat(producer.history())
        .extracting(r -> r.topic())
        .containsExactly("dead-letters", "completions");
    DeadLetter letter = (DeadLetter) producer.history().get(0).value();
    assertThat(letter.getRequestId()).isEqualTo(request.getRequestId());
    assertThat(event(request.getRequestId(), CompletionType.FAILED).getFailure().getCode())
        .isEqualTo("ATTEMPTS_EXHAUSTED");
  }

  @Test
  void shouldTryAgainAndThenGiveUpWhenAttemptsFail() {
    PromptRequest request = Traffic.request("abc", 3);
    long ticket = deliver(request, 1);
    Run first = submitted();
    fail(first);
    Run second = submitted();
    assertThat(second.attemptId()).isNotEqualTo(first.attemptId());
    fail(first);
    scheduler.expectNoMessage(Duration.ofMillis(30));
    fail(second);
    Run third = submitted();
    assertThat(third.last()).isTrue();
    assertThat(source.completed).isEmpty();

    fail(third);

    awaitCompleted(ticket);
    assertGivenUp(request);
  }

  @Test
  void shouldLoseTheAttemptWhenChunksCannotBeWritten() {
    deliver(Traffic.request("abc", 3), 1);
    Run first = submitted();

    intake.tell(
        new RequestIntake.PublisherHeard(
            new ActivationPublisher.ChunksLost(first.requestId(), first.attemptId(), "too large")));

    scheduler.expectMessage(new StepScheduler.Discard(first.attemptId()));
    assertThat(submitted().attempt().number()).isEqualTo(2);
    assertThat(event(first.requestId(), CompletionType.ATTEMPT_FAILED).getAttemptId())
        .isEqualTo(first.attemptId());
  }
}
