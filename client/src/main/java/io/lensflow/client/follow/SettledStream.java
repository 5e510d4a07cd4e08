package io.lensflow.client.follow;

import io.lensflow.schemas.ids.Ids;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;

/**
 * Requests as they stand in the end: rows of the winning attempt only, held until its terminal
 * event, each exactly once and in order per (request, hook point, layer).
 *
 * <p>Memory: records of undecided requests are held as bytes, up to the subscription's limit; then
 * results are read no further until a terminal event frees some, while completions are read on.
 * Every request gets a terminal event by its deadline, so that this cannot last. A stream of all
 * requests gives up those that stay silent, and leaves out those that began before its start, whose
 * rows it would see in part only.
 *
 * <p>Threads: see {@link FollowStream}.
 */
public final class SettledStream extends FollowStream<SettledEvent> {
  private static final int REMEMBERED = 100_000;

  private static final class Pending {
    final Settlement settlement;
    long lastSeenNanos;

    Pending(Settlement settlement) {
      this.settlement = settlement;
    }
  }

  private final Optional<Instant> start;
  private final Map<String, Pending> pending = new LinkedHashMap<>(16, 0.75f, true);

  /** Requests that have ended and may have something to hand on. */
  private final Set<Settlement> decided = new LinkedHashSet<>();

  /** Requests that are over: whatever still comes of them is late. */
  private final Map<String, Boolean> over =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > REMEMBERED;
        }
      };

  private long undecidedBytes;

  /**
   * Takes over a tail.
   *
   * @param now the time at which the tail was opened
   */
  public SettledStream(RequestTail tail, Subscription subscription, Instant now) {
    super(tail, subscription);
    this.start =
        subscription.start() instanceof StartingPoint.At at
            ? Optional.of(at.time())
            : subscription.start() instanceof StartingPoint.Latest
                ? Optional.of(now)
                : Optional.empty();
  }

  @Override
  void accept(TailRecord record, Queue<SettledEvent> out) {
    String requestId = record.requestId();
    if (over.containsKey(requestId) || beganBefore(requestId)) {
      return;
    }
    Pending request =
        pending.computeIfAbsent(requestId, id -> new Pending(new Settlement(id, subscription)));
    request.lastSeenNanos = System.nanoTime();
    long before = request.settlement.undecidedBytes();
    request.settlement.accept(record, out);
    undecidedBytes += request.settlement.undecidedBytes() - before;
    if (request.settlement.isDecided()) {
      decided.add(request.settlement);
    }
    tail.pauseResults(undecidedBytes >= subscription.heldBytes());
  }

  private boolean beganBefore(String requestId) {
    return subscription.requestId().isEmpty()
        && start
            .flatMap(time -> Ids.timeOf(requestId).map(created -> created.isBefore(time)))
            .orElse(false);
  }

  @Override
  void advance(Queue<SettledEvent> out) {
    Iterator<Settlement> movable = decided.iterator();
    while (movable.hasNext() && out.isEmpty()) {
      Settlement settlement = movable.next();
      settlement.advance(out);
      if (out.isEmpty()) {
        movable.remove(); // until another record of it comes
      } else if (settlement.isOver()) {
        movable.remove();
        forget(settlement.requestId());
      }
    }
    if (subscription.requestId().isEmpty() && out.isEmpty()) {
      abandonSilent(out);
    }
  }

  private void forget(String requestId) {
    pending.remove(requestId);
    over.put(requestId, true);
  }

  /** The longest silent are first, because a look-up moves an entry to the end. */
  private void abandonSilent(Queue<SettledEvent> out) {
    Iterator<Pending> oldest = pending.values().iterator();
    if (!oldest.hasNext()) {
      return;
    }
    Pending request = oldest.next();
    Duration silence = Duration.ofNanos(System.nanoTime() - request.lastSeenNanos);
    if (silence.compareTo(subscription.abandonAfter()) < 0) {
      return;
    }
    Settlement settlement = request.settlement;
    undecidedBytes -= settlement.undecidedBytes();
    settlement.abandon(
        "silent for %d s, still missing %s"
            .formatted(silence.toSeconds(), settlement.missing().orElse("nothing")),
        out);
    decided.remove(settlement);
    forget(settlement.requestId());
    tail.pauseResults(undecidedBytes >= subscription.heldBytes());
  }

  /** For a stream of all requests always false. */
  @Override
  public boolean hasEnded() {
    return subscription.requestId().map(over::containsKey).orElse(false) && isDrained();
  }

  @Override
  public Optional<String> missing() {
    if (hasEnded()) {
      return Optional.empty();
    }
    return subscription
        .requestId()
        .map(pending::get)
        .map(request -> request.settlement.missing())
        .orElse(Optional.of("any news"));
  }
}
