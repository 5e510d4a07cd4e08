package io.lensflow.steering.pipeline;

import io.lensflow.client.follow.SettledEvent;
import io.lensflow.records.Failure;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What of a run's requests is still to be sent, what is on its way, and what has come of it. It
 * hands on one answer per request. Used by one thread; knows no clock and no topic.
 *
 * <p>A request whose rows are lost is asked again under another id. All ids that it can have are
 * known from the beginning, because an earlier run may have asked under any of them; an answer
 * under whichever counts, a loss or a failure only under the one that was asked last.
 */
final class RunLedger {
  private static final Logger log = LoggerFactory.getLogger(RunLedger.class);
  private static final int MAX_REPEATS = 2;

  private final RequestIds ids;
  private final String series;
  private final AnswerSink sink;

  /** Under which id what is asked. */
  private record Ask(int index, int repeat) {}

  /** All that requests which are not answered yet may be asked under. */
  private final Map<String, Ask> asks = new HashMap<>();

  /** Which repeat each request is at. */
  private final int[] repeats;

  private final Deque<Integer> unsent = new ArrayDeque<>();

  /** Ids on their way, the earliest first, and until when an answer can come. */
  private final Map<String, Instant> inFlight = new LinkedHashMap<>();

  private final Map<String, Gathering> gatherings = new HashMap<>();
  private int answered;

  /**
   * @param series tells the run's ids from those of the job's other runs
   * @param count how many requests
   * @param sink gets each one's answer
   */
  RunLedger(RequestIds ids, String series, int count, AnswerSink sink) {
    this.ids = ids;
    this.series = series;
    this.sink = sink;
    this.repeats = new int[count];
    for (int index = 0; index < count; index++) {
      for (int repeat = 0; repeat <= MAX_REPEATS; repeat++) {
        asks.put(ids.of(series, index, repeat), new Ask(index, repeat));
      }
      unsent.add(index);
    }
  }

  /** The id under which a request is asked now. */
  String id(int index) {
    return ids.of(series, index, repeats[index]);
  }

  /** Whether every request is answered. */
  boolean isDone() {
    return answered == repeats.length;
  }

  /** Whether an answer under this id would count. */
  boolean awaits(String id) {
    return asks.containsKey(id);
  }

  /** Ids of requests that are on their way. */
  Set<String> inFlight() {
    return Collections.unmodifiableSet(inFlight.keySet());
  }

  /** Whether a request is still to be sent. */
  boolean hasUnsent() {
    return !unsent.isEmpty();
  }

  /** The next request to send; whoever takes it says when it is {@link #sent}. */
  int nextUnsent() {
    return unsent.remove();
  }

  /**
   * Notes that a request is on its way.
   *
   * @param until when no answer can come any more; not before those of the ones sent earlier
   */
  void sent(int index, Instant until) {
    inFlight.put(id(index), until);
  }

  /**
   * Notes what an earlier run sent, before this one sends anything.
   *
   * @param sent ids that stand on the topics of requests, of those that are {@linkplain #awaits
   *     awaited}
   * @param until when no answer to them can come any more
   */
  void recall(Set<String> sent, Instant until) {
    for (Ask ask : sent.stream().map(asks::get).toList()) {
      repeats[ask.index()] = Math.max(repeats[ask.index()], ask.repeat());
    }
    unsent.removeIf(index -> sent.contains(id(index)));
    sent.stream().map(asks::get).forEach(ask -> sent(ask.index(), until));
  }

  /** Takes what has come. What is nobody's any more is left out: it was read before it expired. */
  void take(SettledEvent event) {
    String id = event.requestId();
    Ask ask = asks.get(id);
    if (ask == null) {
      return;
    }
    if (event instanceof SettledEvent.Outcome ended) {
      gatherings.put(id, new Gathering(ended));
    } else if (event instanceof SettledEvent.Results rows) {
      gatherings.get(id).results.add(rows.result());
    } else if (event instanceof SettledEvent.Chunk rows) {
      gatherings.get(id).chunks.add(rows.chunk());
    } else if (event instanceof SettledEvent.Lost gap) {
      gatherings.get(id).loss = gap.gap().getGap().getReason();
    } else if (event instanceof SettledEvent.Abandoned given) {
      gatherings.remove(id);
      lose(ask, given.reason());
    } else {
      complete(ask, gatherings.remove(id));
    }
  }

  private void complete(Ask ask, Gathering gathering) {
    if (gathering.loss != null) {
      lose(ask, gathering.loss);
      return;
    }
    Answer answer = gathering.answer();
    if (answer.failure().isEmpty() || isLast(ask)) {
      answer(ask.index(), answer);
    }
  }

  private boolean isLast(Ask ask) {
    return ask.repeat() == repeats[ask.index()];
  }

  /** Gives up requests to which no answer can come any more. */
  void expire(Instant now) {
    while (!inFlight.isEmpty()) {
      Map.Entry<String, Instant> oldest = inFlight.entrySet().iterator().next();
      if (oldest.getValue().isAfter(now)) {
        return;
      }
      Failure late = new Failure("DEADLINE_EXCEEDED", "no worker answered in time", null);
      answer(asks.get(oldest.getKey()).index(), Answer.failed(null, late));
    }
  }

  private void answer(int index, Answer answer) {
    withdraw(index);
    for (int repeat = 0; repeat <= MAX_REPEATS; repeat++) {
      String id = ids.of(series, index, repeat);
      asks.remove(id);
      gatherings.remove(id);
    }
    answered++;
    sink.take(index, answer);
  }

  /** Its rows are gone: asks for them anew, under the next id. */
  private void lose(Ask ask, String reason) {
    if (!isLast(ask)) {
      return;
    }
    int index = ask.index();
    if (ask.repeat() == MAX_REPEATS) {
      answer(index, Answer.failed(null, new Failure("ROWS_LOST", reason, null)));
      return;
    }
    log.warn("job={} request={} is asked again: {}", ids.jobId(), id(index), reason);
    withdraw(index);
    repeats[index]++;
    unsent.addFirst(index);
  }

  private void withdraw(int index) {
    if (inFlight.remove(id(index)) == null) {
      unsent.remove((Integer) index); // heard of before this run knew that it had been sent
    }
  }
}
