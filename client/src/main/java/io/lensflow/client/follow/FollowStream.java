package io.lensflow.client.follow;

import io.lensflow.client.ClientException;
import io.lensflow.client.WaitTimeoutException;
import io.lensflow.schemas.registry.SchemaRegistryException;
import io.lensflow.schemas.serde.RecordFormatException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What both kinds of streams share: pulling. The caller's thread polls Kafka while it waits for the
 * next event, so that a slow caller reads slowly and nothing piles up behind its back.
 *
 * <p>One caller at a time. {@link #close} may come from any thread and ends a waiting {@link
 * #next}.
 *
 * @param <E> the kind of event
 */
public abstract sealed class FollowStream<E> implements AutoCloseable
    permits LiveStream, SettledStream {
  private static final Logger log = LoggerFactory.getLogger(FollowStream.class);
  private static final Duration LONGEST_POLL = Duration.ofSeconds(1);

  final RequestTail tail;
  final Subscription subscription;
  private final Queue<TailRecord> inbox = new ArrayDeque<>();
  private final Queue<E> ready = new ArrayDeque<>();
  private final Object turn = new Object();
  private volatile boolean closed;

  FollowStream(RequestTail tail, Subscription subscription) {
    this.tail = tail;
    this.subscription = subscription;
  }

  /**
   * The next event.
   *
   * @param timeout how long to wait for it; zero takes what is there already
   * @return empty if none came in time, or if none will come any more ({@link #hasEnded})
   * @throws ClientException if the stream was closed, Kafka refuses for good, or the registry
   *     cannot be reached; after the last the stream can be used on, nothing was lost
   */
  public final Optional<E> next(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (turn) {
      try {
        Duration left = timeout;
        do {
          checkOpen();
          advance(ready);
          if (ready.isEmpty() && !hasEnded()) {
            poll(left.compareTo(LONGEST_POLL) < 0 ? left : LONGEST_POLL);
            advance(ready);
          }
          E event = ready.poll();
          if (event != null) {
            return Optional.of(event);
          }
          left = Duration.ofNanos(deadline - System.nanoTime());
        } while (!left.isNegative() && !hasEnded());
        return Optional.empty();
      } catch (WakeupException e) {
        throw new ClientException("the stream was closed", e);
      } catch (SchemaRegistryException e) {
        throw new ClientException("a schema cannot be looked up: " + e.getMessage(), e);
      }
    }
  }

  private void poll(Duration timeout) {
    if (inbox.isEmpty()) {
      inbox.addAll(tail.poll(timeout));
    }
    // Taken off the inbox only when done: a registry that is away now must cost no record.
    for (TailRecord record = inbox.peek(); record != null; record = inbox.peek()) {
      try {
        accept(record, ready);
      } catch (RecordFormatException e) {
        skipped(record, e);
      }
      inbox.remove();
    }
  }

  static void skipped(TailRecord record, RecordFormatException e) {
    log.warn("record {} left out: {}", record, e.getMessage());
  }

  /**
   * The next event, where one must come.
   *
   * @throws WaitTimeoutException if none comes in time; the message says what is missing
   */
  public final E await(Duration timeout) {
    return next(timeout)
        .orElseThrow(
            () ->
                new WaitTimeoutException(
                    "waited %s s%s for %s"
                        .formatted(
                            timeout.toMillis() / 1000.0,
                            subscription.requestId().map(id -> " on request " + id).orElse(""),
                            missing().orElse("an event after the last"))));
  }

  /** Whether the followed request has ended and everything about it was handed on. */
  public abstract boolean hasEnded();

  /** What the followed request still lacks, for a person; empty when it has ended. */
  public abstract Optional<String> missing();

  /** Takes a record in. */
  abstract void accept(TailRecord record, Queue<E> out);

  /** Moves on what can move without a new record; called before each look at the queue. */
  abstract void advance(Queue<E> out);

  private void checkOpen() {
    if (closed) {
      throw new ClientException("the stream was closed");
    }
  }

  final boolean isDrained() {
    return ready.isEmpty();
  }

  @Override
  public final void close() {
    if (closed) {
      return;
    }
    closed = true;
    tail.wakeup();
    synchronized (turn) {
      tail.close();
    }
  }
}
