package io.lensflow.worker.scheduling;

import akka.actor.typed.ActorRef;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Failure;
import io.lensflow.records.Finished;
import io.lensflow.records.LensRequest;
import io.lensflow.records.Timings;
import io.lensflow.worker.publishing.ActivationPublisher;
import io.lensflow.worker.publishing.CompletionEvents;
import io.lensflow.worker.publishing.EventLog;
import io.lensflow.worker.publishing.WriteProblem;
import io.lensflow.worker.request.Run;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what happens to runs into records: events that may leave at once go to the event log, rows
 * and ends go through the publisher, which keeps their order. Used by the scheduler's thread only.
 */
final class RunReporter {
  private static final Logger log = LoggerFactory.getLogger(RunReporter.class);

  private final String completions;
  private final CompletionEvents events;
  private final EventLog eventLog;
  private final ActorRef<ActivationPublisher.Command> publisher;
  private final ActorRef<ActivationPublisher.Credit> credits;
  private final InstantSource clock;

  /** Of each run that has not ended: whether the broker has all of its events. */
  private final Map<String, CompletableFuture<Void>> written = new HashMap<>();

  /**
   * @param completions topic of completion events
   * @param credits gets back the bytes of rows once the broker has them
   */
  RunReporter(
      String completions,
      CompletionEvents events,
      EventLog eventLog,
      ActorRef<ActivationPublisher.Command> publisher,
      ActorRef<ActivationPublisher.Credit> credits,
      InstantSource clock) {
    this.completions = completions;
    this.events = events;
    this.eventLog = eventLog;
    this.publisher = publisher;
    this.credits = credits;
    this.clock = clock;
  }

  /**
   * Says that an attempt begins.
   *
   * @return completes when that is durable, exceptionally if it never will be
   */
  CompletionStage<Void> accepted(Run run) {
    log.info(
        "request={} attempt={} number={} admitted, {} prompt tokens, steering={}",
        run.requestId(),
        run.attemptId(),
        run.attempt().number(),
        run.request().promptLength(),
        run.steering().applied().size());
    return publish(run, events.accepted(run));
  }

  /**
   * That an attempt begins will never be on record, and so it cannot run. Where the fault is not
   * that record's the end cannot be written either, and the publisher says so.
   */
  void unrecorded(Generation generation, WriteProblem problem) {
    String message = "the event that its attempt begins was not written: " + problem;
    failed(generation, new Failure(CompletionEvents.WORKER_ERROR, message, null));
  }

  /** A run that a step moved on. */
  record Moved(Generation generation, Generation.Progress progress) {
    private ActivationPublisher.RunRows rows() {
      return new ActivationPublisher.RunRows(generation.run().attemptId(), progress.rows());
    }
  }

  /** A step moved runs on: what it captured comes before any word of how they ended. */
  void moved(List<Moved> runs) {
    List<ActivationPublisher.RunRows> captured =
        runs.stream()
            .filter(one -> !one.progress().rows().rows().isEmpty())
            .map(Moved::rows)
            .toList();
    if (!captured.isEmpty()) {
      publisher.tell(new ActivationPublisher.Rows(captured, credits));
    }
    runs.forEach(this::progress);
  }

  private void progress(Moved moved) {
    Generation generation = moved.generation();
    Run run = generation.run();
    Generation.Token token = moved.progress().token();
    if (token != null) {
      Float logProb = run.request().source().getLogProbs() ? (Float) token.logProb() : null;
      emit(run, events.token(run, token.position(), token.id(), token.text(), logProb));
    }
    if (generation.isFinished()) {
      end(generation, events.finished(run, finished(generation)));
    }
  }

  /** The run failed for good. */
  void failed(Generation generation, Failure failure) {
    Run run = generation.run();
    end(generation, events.failed(run.request().source(), run.attempt(), failure));
  }

  /** The run was cancelled, or its deadline has passed: nothing is said of it any more. */
  void stopped(Batch.Stopped stopped) {
    if (stopped.cancelReason() == null) {
      late(stopped.generation());
      return;
    }
    Run run = stopped.generation().run();
    end(
        stopped.generation(),
        events.cancelled(run.request().source(), run.attempt(), stopped.cancelReason()));
  }

  private void late(Generation generation) {
    String message =
        "the deadline %s passed after %d generated tokens; set a later deadline or fewer maxNewTokens"
            .formatted(generation.run().request().deadline(), generation.generatedTokens());
    failed(generation, new Failure(CompletionEvents.DEADLINE_EXCEEDED, message, "deadline"));
  }

  /** The attempt failed; its rows that were not sent are dropped. */
  void attemptFailed(Run run, String reason) {
    abort(run.attemptId());
    publish(run, events.attemptFailed(run, CompletionEvents.WORKER_ERROR, reason));
  }

  /** Drops the rows of an attempt that were not sent. */
  void abort(String attemptId) {
    written.remove(attemptId);
    publisher.tell(new ActivationPublisher.Abort(attemptId));
  }

  /** Comes last of all: what was said of a run later would be lost, or follow its end. */
  private void end(Generation generation, CompletionEvent terminal) {
    Instant admitted = generation.admittedAt() == null ? clock.instant() : generation.admittedAt();
    String attemptId = generation.run().attemptId();
    CompletableFuture<Void> events = written.remove(attemptId);
    publisher.tell(
        new ActivationPublisher.Finish(
            attemptId,
            terminal,
            admitted,
            events == null ? CompletableFuture.completedFuture(null) : events));
  }

  /** Writes an event that belongs to the run: without it the run has no end. */
  private void emit(Run run, CompletionEvent event) {
    written.merge(
        run.attemptId(),
        publish(run, event).toCompletableFuture(),
        (before, now) -> before.thenCombine(now, (done, doneToo) -> null));
  }

  private CompletionStage<Void> publish(Run run, CompletionEvent event) {
    return eventLog
        .publish(completions, run.requestId(), event, run.request().traceparent())
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                log.warn("request={} lost {}: {}", run.requestId(), event.getType(), e.toString());
              }
            });
  }

  private static Finished finished(Generation generation) {
    Run run = generation.run();
    Instant first = generation.firstTokenAt();
    List<String> lenses =
        run.request().capture().isEmpty()
            ? List.of()
            : run.request().lenses().stream().map(LensRequest::getName).toList();
    Timings timings =
        Timings.newBuilder()
            .setQueuedMicros(micros(run.request().source().getCreatedAt(), generation.admittedAt()))
            .setPrefillMicros(micros(generation.admittedAt(), first))
            .setDecodeMicros(micros(first, generation.lastTokenAt()))
            .build();
    return Finished.newBuilder()
        .setReason(generation.finishReason())
        .setText(generation.text())
        .setStopString(generation.stopString())
        .setPromptTokens(run.request().promptLength())
        .setGeneratedTokens(generation.generatedTokens())
        .setLenses(lenses)
        .setTimings(timings)
        .build();
  }

  /** Clocks of sender and worker differ: never negative. */
  private static long micros(Instant from, Instant to) {
    return Math.max(0, Duration.between(from, to).toNanos() / 1_000);
  }
}
