package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.Accepted;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.testkit.Await;
import io.lensflow.worker.Runs;
import io.lensflow.worker.request.Run;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

/** Attempts are on record before they run, or do not run. */
class AnnouncementTest extends SchedulerStage {
  /** Takes all records but those that announce a prompt of this length. */
  private MockProducer<String, SpecificRecord> refusing(
      int promptLength, RuntimeException problem, AtomicInteger tries) {
    return new MockProducer<>(true, new RoundRobinPartitioner(), new StringSerializer(), noBytes) {
      @Override
      public synchronized Future<RecordMetadata> send(
          ProducerRecord<String, SpecificRecord> sent, Callback callback) {
        Accepted accepted = ((CompletionEvent) sent.value()).getAccepted();
        if (accepted != null && accepted.getPromptTokenIds().size() == promptLength) {
          tries.incrementAndGet();
          throw problem;
        }
        return super.send(sent, callback);
      }
    };
  }

  @Test
  void shouldNotRunAnAttemptBeforeItIsOnRecord() {
    MockProducer<String, SpecificRecord> slow = producer(false);
    scheduler = spawn(2, 4, false, 1_000_000, slow);
    Run run = submit(bare("a", 2));
    assertThat(slow.history()).hasSize(1);
    group.expectNoMessage(Duration.ofMillis(50));

    slow.errorNext(new TimeoutException("the broker is away"));
    Await.until(Duration.ofSeconds(5), () -> slow.history().size() == 2);
    group.expectNoMessage(Duration.ofMillis(50));
    slow.completeNext();

    assertThat(nextPlan().open()).hasSize(1);
    assertThat(slow.history())
        .allSatisfy(
            sent ->
                assertThat(((CompletionEvent) sent.value()).getAttemptId())
                    .isEqualTo(run.attemptId()));
  }

  @Test
  void shouldPauseBetweenTriesWhenTheBrokerIsAway() {
    AtomicInteger tries = new AtomicInteger();
    scheduler =
        spawn(2, 4, false, 1_000_000, refusing(1, new TimeoutException("no broker"), tries));
    submit(bare("a", 2));

    Await.until(Duration.ofSeconds(5), () -> tries.get() > 2);
    group.expectNoMessage(Duration.ofMillis(100));
    assertThat(tries).hasValueLessThan(50);
  }

  @Test
  void shouldFailTheRunAndLetOthersInWhenItsAttemptCanNeverBeOnRecord() {
    AtomicInteger tries = new AtomicInteger();
    scheduler =
        spawn(2, 4, false, 1_000_000, refusing(3, new RecordTooLargeException("1 MiB"), tries));
    scheduler.tell(new StepScheduler.Submit(Runs.run(engine, bare("abc", 2))));
    scheduler.tell(new StepScheduler.Submit(Runs.run(engine, bare("a", 2))));

    CompletionEvent end = finish();
    assertThat(end.getType()).isEqualTo(CompletionType.FAILED);
    assertThat(end.getFailure().getCode()).isEqualTo("WORKER_ERROR");
    assertThat(end.getFailure().getMessage()).contains("RecordTooLargeException: 1 MiB");
    assertThat(opened(nextPlan())).containsExactly(1L);
    assertThat(tries).hasValue(1);
  }

  @Test
  void shouldEndOnceWhenItIsCancelledBeforeItsAttemptTurnsOutToBeUnrecordable() {
    MockProducer<String, SpecificRecord> slow = producer(false);
    scheduler = spawn(2, 4, false, 1_000_000, slow);
    Run run = submit(bare("a", 2));
    scheduler.tell(new StepScheduler.Cancel(run.requestId(), "enough"));
    assertThat(finish().getType()).isEqualTo(CompletionType.CANCELLED);

    slow.errorNext(new RecordTooLargeException("1 MiB"));

    publisher.expectNoMessage(Duration.ofMillis(50));
  }
}
