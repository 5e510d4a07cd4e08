package io.lensflow.client.follow;

import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.serde.RecordFormatException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;

/**
 * The settled rule for one request: hold everything until the first terminal event, then hand on
 * what belongs to its attempt and drop the rest.
 *
 * <p>Records are held as bytes: a loser's are never decoded, and what is held can be counted
 * exactly. Not thread-safe.
 */
final class Settlement {
  private final String requestId;
  private final Subscription subscription;
  private final Deque<TailRecord> held = new ArrayDeque<>();
  private final Map<String, InOrder<SettledEvent>> order = new HashMap<>();
  private long undecidedBytes;
  private CompletionEvent terminal;
  private String lossReason;
  private boolean over;

  Settlement(String requestId, Subscription subscription) {
    this.requestId = requestId;
    this.subscription = subscription;
  }

  /** Takes a record in; nothing is handed on before {@link #advance}. */
  void accept(TailRecord record, Queue<SettledEvent> out) {
    if (over) {
      return;
    }
    if (record.kind() == ResultTopic.COMPLETIONS) {
      if (terminal == null && Terminal.is(record.completion())) {
        decide(record.completion(), out);
        return;
      }
    }
    if (terminal == null) {
      held.add(record);
      undecidedBytes += record.bytes();
    } else if (isWinners(record) && record.kind() != ResultTopic.COMPLETIONS) {
      held.add(record);
    }
  }

  private void decide(CompletionEvent event, Queue<SettledEvent> out) {
    terminal = event;
    undecidedBytes = 0;
    held.removeIf(record -> !isWinners(record));
    List<CompletionEvent> tokens = new ArrayList<>();
    CompletionEvent accepted = null;
    for (TailRecord record : held) {
      if (record.kind() == ResultTopic.COMPLETIONS) {
        CompletionEvent own = record.completion();
        if (own.getType() == CompletionType.TOKENS) {
          tokens.add(own);
        } else if (own.getType() == CompletionType.ACCEPTED) {
          accepted = own;
        }
      }
    }
    held.removeIf(record -> record.kind() == ResultTopic.COMPLETIONS);
    out.add(new SettledEvent.Outcome(requestId, Optional.ofNullable(accepted), tokens, terminal));
    if (terminal.getType() != CompletionType.FINISHED) {
      held.clear(); // how many rows there are is known of finished attempts only
    }
  }

  private boolean isWinners(TailRecord record) {
    return record.attemptId().equals(terminal.getAttemptId());
  }

  /**
   * Hands on what has become known; call until it adds nothing. One record at a time is decoded, so
   * that the decoded rows of a long request are never all in memory.
   */
  void advance(Queue<SettledEvent> out) {
    while (!over && terminal != null && out.isEmpty()) {
      TailRecord record = held.peek();
      if (record != null) {
        take(record, out);
        held.poll();
      } else if (missing().isEmpty()) {
        over = true;
        out.add(new SettledEvent.Complete(requestId, terminal));
      } else {
        return;
      }
    }
  }

  private void take(TailRecord record, Queue<SettledEvent> out) {
    try {
      if (record.kind() == ResultTopic.ACTIVATIONS) {
        var chunk = record.chunk();
        order(Completeness.CHUNKS, out)
            .offer(
                chunk.getSequence(),
                0,
                1,
                new SettledEvent.Chunk(requestId, chunk),
                record.bytes());
      } else if (record.result().getGap() != null) {
        onGap(record.result(), out);
      } else if (subscription.carriesLens(record.result().getLens())) {
        LensResult result = record.result();
        order(result.getLens(), out)
            .offer(
                result.getSequence(),
                result.getPart(),
                result.getParts(),
                new SettledEvent.Results(requestId, result),
                record.bytes());
      }
    } catch (RecordFormatException e) {
      FollowStream.skipped(record, e);
    }
    long waiting = order.values().stream().mapToLong(InOrder::waitingBytes).sum();
    if (waiting > subscription.heldBytes()) {
      abandon(
          "%d bytes of its results came before earlier ones; still missing: %s"
              .formatted(waiting, missing().orElse("nothing")),
          out);
    }
  }

  /** A gap that names no lens is one under every lens. */
  private void onGap(LensResult result, Queue<SettledEvent> out) {
    out.add(new SettledEvent.Lost(requestId, result));
    List<Integer> sequences = result.getGap().getMissingSequences();
    if (sequences.isEmpty()) {
      lossReason = result.getGap().getReason();
    }
    if (!result.getLens().isEmpty()) {
      InOrder<SettledEvent> lens = order(result.getLens(), out);
      sequences.forEach(lens::skip);
      return;
    }
    subscription.lenses().ifPresent(names -> names.forEach(name -> order(name, out)));
    order.forEach(
        (stream, lens) -> {
          if (!stream.equals(Completeness.CHUNKS)) {
            sequences.forEach(lens::skip);
          }
        });
  }

  private InOrder<SettledEvent> order(String stream, Queue<SettledEvent> out) {
    return order.computeIfAbsent(stream, name -> new InOrder<>(out::add));
  }

  /** Gives the request up and frees what it held. */
  void abandon(String reason, Queue<SettledEvent> out) {
    over = true;
    held.clear();
    order.clear();
    undecidedBytes = 0;
    out.add(new SettledEvent.Abandoned(requestId, reason));
  }

  /** Bytes held because nobody knows yet whose they are. */
  long undecidedBytes() {
    return undecidedBytes;
  }

  String requestId() {
    return requestId;
  }

  /** Whether the terminal event is known. */
  boolean isDecided() {
    return terminal != null;
  }

  /** Whether the last event has been handed on. */
  boolean isOver() {
    return over;
  }

  /** What is still missing; empty when all rows have been handed on or reported as lost. */
  Optional<String> missing() {
    if (terminal == null) {
      return Optional.of("its terminal event");
    }
    Map<String, PartTracker> trackers = new HashMap<>();
    order.forEach((stream, inOrder) -> trackers.put(stream, inOrder.tracker()));
    return Completeness.missing(terminal, subscription, trackers)
        .map(what -> lossReason == null ? what : what + "; rows were lost: " + lossReason);
  }
}
