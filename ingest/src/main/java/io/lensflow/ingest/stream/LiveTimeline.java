package io.lensflow.ingest.stream;

import io.lensflow.client.json.EventJson;
import io.lensflow.ingest.stream.EventId.Live;
import io.lensflow.ingest.stream.EventId.Place;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.LensResult;
import java.io.IOException;

/**
 * Tells everything as it arrives, of every attempt until one has won, and says when another begins.
 * Rows of an attempt come after the event that announces it, also where its results are read first.
 */
final class LiveTimeline extends Timeline {
  private final Live from;
  private Live told;

  /**
   * @param from what the client has got already
   */
  LiveTimeline(Live from, RowFilter filter, EventSink sink) {
    super(filter, sink);
    this.from = from;
    this.told = from;
  }

  @Override
  Verdict verdict(String attemptId) {
    if (attemptId.isEmpty()) {
      return Verdict.TAKE; // a gap whose attempt nobody could tell
    }
    if (outcome().isPresent()) {
      return attemptId.equals(outcome().get().getAttemptId()) ? Verdict.TAKE : Verdict.DROP;
    }
    return attempts.contains(attemptId) ? Verdict.TAKE : Verdict.WAIT;
  }

  @Override
  void onCompletion(long offset, CompletionEvent event, boolean restarted) throws IOException {
    int number = 0;
    if (restarted && !from.completions().covers(offset, ++number)) {
      completionTold(
          offset, number, EventJson.restarted(event.getRequestId(), event.getAttemptId()));
    }
    if (event.getType() == CompletionType.TOKENS) {
      int tokens = event.getTokens().getIds().size();
      for (int i = 0; i < tokens; i++) {
        if (!from.completions().covers(offset, ++number)) {
          completionTold(offset, number, EventJson.token(event, i));
        }
      }
    }
  }

  @Override
  void onOutcome() {
    // told at the end
  }

  @Override
  void onRows(long offset, int bytes, LensResult result) throws IOException {
    if (!tracker(result.getAttemptId(), result.getLens())
        .add(result.getSequence(), result.getPart(), result.getParts())) {
      return; // sent twice
    }
    if (!filter.wants(result.getHookPoint())) {
      return;
    }
    int positions = result.getPositions().size();
    for (int layer = 0; layer < result.getLayers().size(); layer++) {
      if (!filter.layer().test(result.getLayers().get(layer))) {
        continue;
      }
      for (int position = 0; position < positions; position++) {
        int number = layer * positions + position + 1;
        if (!from.results().covers(offset, number)) {
          resultTold(offset, number, EventJson.lens(result, layer, position));
        }
      }
    }
  }

  @Override
  void onGap(long offset, LensResult result) throws IOException {
    for (String lens : lensesOf(result)) {
      result.getGap().getMissingSequences().forEach(tracker(result.getAttemptId(), lens)::skip);
    }
    if (!from.results().covers(offset, 1)) {
      resultTold(offset, 1, EventJson.gap(result));
    }
  }

  @Override
  void end(String note) throws IOException {
    sink.event(new Live(told.completions(), told.results(), true), terminalJson(note));
  }

  private void completionTold(long offset, int number, String json) throws IOException {
    told = new Live(new Place(offset, number), told.results(), false);
    sink.event(told, json);
  }

  private void resultTold(long offset, int number, String json) throws IOException {
    told = new Live(told.completions(), new Place(offset, number), false);
    sink.event(told, json);
  }
}
