package io.lensflow.worker.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.CompletionType;
import io.lensflow.records.Failure;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.SteeringRequest;
import io.lensflow.testkit.Await;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.steering.Resolution;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests that wait for the lens decoder or for a vector before they run. */
class AdmissionWaitsTest extends IntakeStage {
  @Test
  void shouldHoldCapturesBackAndRunOthersWhileTheDecoderIsBehind() {
    decoderBehind = true;
    long waiting = deliver(Traffic.request("abc", 3), 1);
    Await.until(PATIENCE, () -> source.parked.contains(waiting));
    listener.expectMessage(new RequestIntake.Occupancy(Lane.INTERACTIVE, 7));
    listener.expectMessage(new RequestIntake.Occupancy(Lane.INTERACTIVE, 8));
    deliver(bare(), 1);
    Run other = submitted();
    assertThat(other.request().capture().isEmpty()).isTrue();
    intake.tell(new RequestIntake.DecoderMoved());
    scheduler.expectNoMessage(Duration.ofMillis(50));

    decoderBehind = false;
    intake.tell(new RequestIntake.DecoderMoved());

    Run run = submitted();
    assertThat(run.request().capture().isEmpty()).isFalse();
    Await.until(PATIENCE, () -> source.parked.isEmpty());
    durable(run);
    awaitCompleted(waiting);
  }

  @Test
  void shouldHoldSlotsWhenTooManyCapturesWait() {
    decoderBehind = true;
    long first = deliver(Traffic.request("abc", 3), 1);
    long second = deliver(Traffic.request("abd", 3), 1);
    Await.until(PATIENCE, () -> source.parked.size() == 2);
    long third = deliver(Traffic.request("abe", 3), 1);
    deliver(bare(), 1);
    submitted();

    assertThat(source.parked).containsExactlyInAnyOrder(first, second).doesNotContain(third);
  }

  @Test
  void shouldSayWhyWhenTheDeadlinePassesWhileACaptureWaits() {
    decoderBehind = true;
    PromptRequest request =
        Traffic.request("abc", 3, r -> r.setDeadline(Instant.now().plusMillis(300)));

    long ticket = deliver(request, 1);

    awaitCompleted(ticket);
    Failure failure = event(request.getRequestId(), CompletionType.FAILED).getFailure();
    assertThat(failure.getCode()).isEqualTo("DEADLINE_EXCEEDED");
    assertThat(failure.getMessage()).contains("its capture waited (the decoder is behind)");
    assertThat(source.parked).isEmpty();
    scheduler.expectNoMessage(Duration.ofMillis(30));
  }

  @Test
  void shouldStillEndWhenTheClockWasSetBackWhileACaptureWaits() {
    decoderBehind = true;
    PromptRequest request =
        Traffic.request("abc", 3, r -> r.setDeadline(Instant.now().plusMillis(300)));
    long ticket = deliver(request, 1);
    // It is parked: its slot is free again.
    listener.expectMessage(new RequestIntake.Occupancy(Lane.INTERACTIVE, 7));
    listener.expectMessage(new RequestIntake.Occupancy(Lane.INTERACTIVE, 8));

    clockError = Duration.ofMillis(-400);

    awaitCompleted(ticket);
    assertThat(event(request.getRequestId(), CompletionType.FAILED).getFailure().getCode())
        .isEqualTo("DEADLINE_EXCEEDED");
  }

  @Test
  void shouldCancelAtOnceWhenACaptureWaits() {
    decoderBehind = true;
    PromptRequest request = Traffic.request("abc", 3);
    long ticket = deliver(request, 1);
    Await.until(PATIENCE, () -> source.parked.contains(ticket));

    intake.tell(new RequestIntake.Cancel(request.getRequestId(), "enough"));

    awaitCompleted(ticket);
    assertThat(event(request.getRequestId(), CompletionType.CANCELLED)).isNotNull();
    assertThat(source.parked).isEmpty();
  }

  private static PromptRequest bare() {
    return Traffic.request("xyz", 3, r -> r.getCapture().setHookPoints(List.of()));
  }

  private static PromptRequest steered() {
    return Traffic.request(
        "abc", 3, r -> r.setSteering(List.of(SteeringRequest.newBuilder().setName("v").build())));
  }

  @Test
  void shouldLetAQuarterOfTheSlotsWaitForVectorsAndFailTheRest() {
    Failure failure = new Failure("STEERING_UNAVAILABLE", "v is not loaded", "steering[0].name");
    answerEverything = new Resolution.Missing(failure);
    Instant start = Instant.now();
    for (int i = 0; i < 3; i++) {
      deliver(steered(), 1);
    }

    // Eight slots: two wait until their time is over, the third, whichever that is, fails at once.
    Await.until(PATIENCE, () -> source.completed.size() == 1);
    assertThat(Duration.between(start, Instant.now())).isLessThan(WAIT);
    Await.until(PATIENCE, () -> source.completed.size() == 3);
    assertThat(Duration.between(start, Instant.now())).isGreaterThanOrEqualTo(WAIT);
    scheduler.expectNoMessage(Duration.ofMillis(30));
  }
}
