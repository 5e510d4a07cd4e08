package io.lensflow.client.follow;

import io.lensflow.client.Submission;
import io.lensflow.records.LensRequest;
import io.lensflow.schemas.ids.Ids;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a stream shall carry. Immutable; the {@code with…} methods give changed copies.
 *
 * @param requestId the one request to follow; empty follows all
 * @param model only this model's records; empty carries all models'
 * @param start where in the log to begin
 * @param lenses names of the lenses to carry. They also say when a request is complete: each of
 *     them has to have answered for every chunk. Absent: every lens is carried, and a request
 *     counts as complete when each lens seen so far has answered for every chunk
 * @param chunks whether raw activations are carried too
 * @param heldBytes a settled stream's memory: most bytes of undecided records, as on the wire, that
 *     it holds before it stops reading results until some request is decided
 * @param abandonAfter a settled stream of all requests gives one up that has been silent for so
 *     long
 */
public record Subscription(
    Optional<String> requestId,
    Optional<String> model,
    StartingPoint start,
    Optional<Set<String>> lenses,
    boolean chunks,
    long heldBytes,
    Duration abandonAfter) {
  /** 64 MiB hold some 100 000 rows of five tokens each. */
  public static final long DEFAULT_HELD_BYTES = 64L << 20;

  /** Longer than the default deadline of a request, so that its terminal event comes first. */
  public static final Duration DEFAULT_ABANDON_AFTER = Duration.ofMinutes(15);

  public Subscription {
    lenses = lenses.map(Set::copyOf);
    if (heldBytes <= 0) {
      throw new IllegalArgumentException("heldBytes must be positive, not " + heldBytes);
    }
  }

  /** One request that this program has just sent: exact offsets, and its own lenses. */
  public static Subscription to(Submission submission) {
    return one(submission.requestId(), new StartingPoint.Offsets(submission.startOffsets()))
        .withLenses(
            submission.request().getLenses().stream()
                .map(LensRequest::getName)
                .collect(Collectors.toSet()));
  }

  /**
   * One request by its id. Reading begins at the time that a UUIDv7 holds, less the clock skew, and
   * at the beginning of the log for other ids.
   */
  public static Subscription to(String requestId, Duration clockSkew) {
    Optional<Instant> time = Ids.timeOf(requestId);
    return one(
        requestId,
        time.<StartingPoint>map(created -> new StartingPoint.At(created.minus(clockSkew)))
            .orElseGet(StartingPoint.Earliest::new));
  }

  /** All requests. */
  public static Subscription toAll(StartingPoint start) {
    return new Subscription(
        Optional.empty(),
        Optional.empty(),
        start,
        Optional.empty(),
        false,
        DEFAULT_HELD_BYTES,
        DEFAULT_ABANDON_AFTER);
  }

  private static Subscription one(String requestId, StartingPoint start) {
    return new Subscription(
        Optional.of(requestId),
        Optional.empty(),
        start,
        Optional.empty(),
        false,
        DEFAULT_HELD_BYTES,
        DEFAULT_ABANDON_AFTER);
  }

  /** With these lenses only. */
  public Subscription withLenses(Set<String> names) {
    return new Subscription(
        requestId, model, start, Optional.of(names), chunks, heldBytes, abandonAfter);
  }

  /** With one model's records only. */
  public Subscription withModel(String name) {
    return new Subscription(
        requestId, Optional.of(name), start, lenses, chunks, heldBytes, abandonAfter);
  }

  /** With raw activations. */
  public Subscription withChunks() {
    return new Subscription(requestId, model, start, lenses, true, heldBytes, abandonAfter);
  }

  /** With another starting point. */
  public Subscription withStart(StartingPoint from) {
    return new Subscription(requestId, model, from, lenses, chunks, heldBytes, abandonAfter);
  }

  /** With another limit of memory. */
  public Subscription withHeldBytes(long bytes) {
    return new Subscription(requestId, model, start, lenses, chunks, bytes, abandonAfter);
  }

  /** With another patience for silent requests. */
  public Subscription withAbandonAfter(Duration silence) {
    return new Subscription(requestId, model, start, lenses, chunks, heldBytes, silence);
  }

  boolean carriesLens(String lens) {
    return lenses.map(names -> names.contains(lens)).orElse(true);
  }
}
