package io.lensflow.ingest.stream;

import io.lensflow.client.follow.InOrder;
import io.lensflow.client.json.EventJson;
import io.lensflow.ingest.stream.EventId.Settled;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.LensResult;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

/**
 * Tells what counts in the end: after the terminal event the winner's tokens, then its rows, each
 * once and with positions rising per hook point and layer. Results need not be read before the
 * outcome is known.
 */
final class SettledTimeline extends Timeline {
  private final Settled from;
  private final int heldBytes;
  private final List<CompletionEvent> tokens = new ArrayList<>();
  private final Map<String, InOrder<LensResult>> lenses = new HashMap<>();
  private final Queue<LensResult> inOrder = new ArrayDeque<>();
  private long told;

  /**
   * @param from what the client has got already
   * @param heldBytes bytes of results that may wait for an earlier one
   */
  SettledTimeline(Settled from, int heldBytes, RowFilter filter, EventSink sink) {
    super(filter, sink);
    this.from = from;
    this.heldBytes = heldBytes;
  }

  @Override
  Verdict verdict(String attemptId) {
    boolean winner = attemptId.isEmpty() || attemptId.equals(winner());
    return hasFinished() && winner ? Verdict.TAKE : Verdict.DROP;
  }

  @Override
  void onCompletion(long offset, CompletionEvent event, boolean restarted) {
    if (event.getType() == CompletionType.TOKENS) {
      tokens.add(event);
    }
  }

  @Override
  void onOutcome() throws IOException {
    for (CompletionEvent event : tokens) {
      int count = event.getAttemptId().equals(winner()) ? event.getTokens().getIds().size() : 0;
      for (int i = 0; i < count; i++) {
        if (++told > from.events()) {
          sink.event(new Settled(told, false), EventJson.token(event, i));
        }
      }
    }
    tokens.clear();
  }

  @Override
  void onRows(long offset, int bytes, LensResult result) throws IOException {
    order(result.getAttemptId(), result.getLens())
        .offer(result.getSequence(), result.getPart(), result.getParts(), result, bytes);
    tellWhatIsInOrder();
    long waiting = lenses.values().stream().mapToLong(InOrder::waitingBytes).sum();
    if (waiting > heldBytes) {
      throw new StreamClosedException(
          "OUT_OF_ORDER",
          "%d bytes of results came before earlier ones; still missing: %s"
              .formatted(waiting, missing().orElse("nothing")));
    }
  }

  @Override
  void onGap(long offset, LensResult result) throws IOException {
    for (String lens : lensesOf(result)) {
      InOrder<LensResult> order = order(result.getAttemptId(), lens);
      result.getGap().getMissingSequences().forEach(order::skip);
    }
    if (++told > from.events()) {
      sink.event(new Settled(told, false), EventJson.gap(result));
    }
    tellWhatIsInOrder();
  }

  @Override
  void end(String note) throws IOException {
    sink.event(new Settled(told + 1, true), terminalJson(note));
  }

  /** Counts every row, wanted or not: an event id means the same under every filter. */
  private void tellWhatIsInOrder() throws IOException {
    for (LensResult result; (result = inOrder.poll()) != null; ) {
      boolean hookPoint = filter.wants(result.getHookPoint());
      for (int layer = 0; layer < result.getLayers().size(); layer++) {
        boolean wanted = hookPoint && filter.layer().test(result.getLayers().get(layer));
        for (int position = 0; position < result.getPositions().size(); position++) {
          if (++told > from.events() && wanted) {
            sink.event(new Settled(told, false), EventJson.lens(result, layer, position));
          }
        }
      }
    }
  }

  private String winner() {
    return outcome().map(CompletionEvent::getAttemptId).orElse("");
  }

  private InOrder<LensResult> order(String attemptId, String lens) {
    return lenses.computeIfAbsent(
        lens,
        name -> {
          InOrder<LensResult> order = new InOrder<>(inOrder::add);
          track(attemptId, name, order.tracker());
          return order;
        });
  }
}
