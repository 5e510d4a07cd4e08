package io.lensflow.worker.publishing;

import io.lensflow.records.Accepted;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Failure;
import io.lensflow.records.Finished;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.Tokens;
import io.lensflow.worker.WorkerIdentity;
import io.lensflow.worker.request.Attempt;
import io.lensflow.worker.request.Run;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Makes the events of a worker. Immutable and thread-safe. */
public final class CompletionEvents {
  /** The deadline passed before the request had ended. */
  public static final String DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED";

  /** A vector that the request names is not there. */
  public static final String STEERING_UNAVAILABLE = "STEERING_UNAVAILABLE";

  /** The worker failed while it ran the request. */
  public static final String WORKER_ERROR = "WORKER_ERROR";

  /** The worker was stopped in an orderly way; says nothing against the request. */
  public static final String WORKER_STOPPED = "WORKER_STOPPED";

  /** Every attempt that is allowed has failed. */
  public static final String ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED";

  /** Somebody asked for the end. */
  public static final String CANCELLED = "CANCELLED";

  private final WorkerIdentity identity;
  private final InstantSource clock;

  public CompletionEvents(WorkerIdentity identity, InstantSource clock) {
    this.identity = identity;
    this.clock = clock;
  }

  /** Name of the worker that the events are of. */
  public String worker() {
    return identity.worker();
  }

  /** A run was admitted; its vectors are pinned. */
  public CompletionEvent accepted(Run run) {
    return base(run.request().source(), run.attempt(), CompletionType.ACCEPTED)
        .setAccepted(
            Accepted.newBuilder()
                .setIncarnation(identity.incarnation())
                .setPromptTokenIds(Arrays.stream(run.request().promptIds()).boxed().toList())
                .setCaptureLayers(run.request().capture().plan().layers())
                .setSteering(run.steering().applied())
                .setSteeringFingerprint(run.steering().fingerprint())
                .build())
        .build();
  }

  /**
   * One token was generated.
   *
   * @param position its absolute position
   * @param id its id
   * @param text text that it completes
   * @param logProb natural log-probability, null if not asked for
   */
  public CompletionEvent token(Run run, int position, int id, String text, Float logProb) {
    return base(run.request().source(), run.attempt(), CompletionType.TOKENS)
        .setTokens(
            Tokens.newBuilder()
                .setPositions(List.of(position))
                .setIds(List.of(id))
                .setTexts(List.of(text))
                .setLogProbs(logProb == null ? null : List.of(logProb))
                .build())
        .build();
  }

  /** An attempt failed; another may follow. */
  public CompletionEvent attemptFailed(Run run, String code, String message) {
    return base(run.request().source(), run.attempt(), CompletionType.ATTEMPT_FAILED)
        .setFailure(new Failure(code, message, null))
        .build();
  }

  /** A run came to its end. */
  public CompletionEvent finished(Run run, Finished finished) {
    return base(run.request().source(), run.attempt(), CompletionType.FINISHED)
        .setFinished(finished)
        .build();
  }

  /**
   * A request failed for good.
   *
   * @param attempt null if there was none
   */
  public CompletionEvent failed(PromptRequest request, Attempt attempt, Failure failure) {
    return base(request, attempt, CompletionType.FAILED).setFailure(failure).build();
  }

  /**
   * A request was cancelled.
   *
   * @param attempt null if there was none
   * @param reason as the order gave it; may be empty
   */
  public CompletionEvent cancelled(PromptRequest request, Attempt attempt, String reason) {
    String message = reason.isEmpty() ? "cancelled through request-control" : reason;
    return base(request, attempt, CompletionType.CANCELLED)
        .setFailure(new Failure(CANCELLED, message, null))
        .build();
  }

  private CompletionEvent.Builder base(
      PromptRequest request, Attempt attempt, CompletionType type) {
    Map<String, String> labels = request.getLabels();
    return CompletionEvent.newBuilder()
        .setRequestId(request.getRequestId())
        .setAttemptId(attempt == null ? "" : attempt.id())
        .setAttempt(attempt == null ? 0 : attempt.number())
        .setType(type)
        .setModel(identity.model())
        .setWorker(identity.worker())
        .setLabels(labels)
        .setProducedAt(clock.instant());
  }
}
