package io.lensflow.ingest.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lensflow.ingest.stream.EventId.Live;
import io.lensflow.ingest.stream.EventId.Settled;
import io.lensflow.ingest.stream.Timeline.Verdict;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Finished;
import io.lensflow.records.Gap;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensResult;
import io.lensflow.records.Tokens;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimelineTest {
  private static final int HELD_BYTES = 1000;

  private final List<String> told = new ArrayList<>();
  private final EventSink sink =
      (id, json) -> told.add(id + " " + json.replaceAll("\\{\"type\":\"(\\w+)\".*", "$1"));

  @Test
  void shouldKeepResultsBackWhenTheirAttemptIsNotAnnounced() throws IOException {
    Timeline timeline = live(Live.START);

    assertThat(timeline.verdict("a")).isEqualTo(Verdict.WAIT);
    timeline.completion(0, event("a", CompletionType.ACCEPTED).build());
    assertThat(timeline.verdict("a")).isEqualTo(Verdict.TAKE);
    timeline.completion(1, event("b", CompletionType.FAILED).build());
    assertThat(timeline.verdict("a")).isEqualTo(Verdict.DROP);
  }

  @Test
  void shouldCountEventsOfARecordWhenItHasSeveral() throws IOException {
    Timeline timeline = live(Live.START);

    timeline.completion(5, tokens("a", 2));
    timeline.result(9, 10, rows("a", "logit", 0, 1));
    timeline.completion(7, tokens("b", 1));

    assertThat(told)
        .containsExactly(
            "c5.1-r0.0 token",
            "c5.2-r0.0 token",
            "c5.2-r9.1 lens",
            "c7.1-r9.1 restarted",
            "c7.2-r9.1 token");
  }

  @Test
  void shouldLeaveOutExactlyWhatWasToldWhenItResumesInsideARecord() throws IOException {
    Timeline timeline = live((Live) EventId.parse("c5.1-r9.2", false));

    timeline.completion(5, tokens("a", 2));
    timeline.result(9, 10, rows("a", "logit", 0, 3));

    assertThat(told).containsExactly("c5.2-r9.2 token", "c5.2-r9.3 lens");
  }

  @Test
  void shouldTellARecordOnceWhenItWasSentTwice() throws IOException {
    Timeline timeline = live(Live.START);
    timeline.completion(0, event("a", CompletionType.ACCEPTED).build());

    timeline.result(1, 10, rows("a", "logit", 0, 1));
    timeline.result(2, 10, rows("a", "logit", 0, 1));

    assertThat(told).hasSize(1);
  }

  @Test
  void shouldMissEveryAskedLensWhenOnlyOneHasAnswered() throws IOException {
    Timeline timeline = live(Live.START);
    timeline.completion(0, event("a", CompletionType.ACCEPTED).build());
    assertThat(timeline.missing()).contains("the terminal event");

    timeline.completion(1, finished("a", 1, List.of("logit", "tuned")));
    timeline.result(0, 10, rows("a", "logit", 0, 1));
    assertThat(timeline.missing().orElseThrow()).contains("'tuned'", "[0] of 1");

    timeline.result(1, 10, gap("a", "tuned", 0));
    assertThat(timeline.missing()).isEmpty();
  }

  @Test
  void shouldTakeTheLensesThatAnsweredWhenTheWorkerNamesNone() throws IOException {
    Timeline timeline = live(Live.START);
    timeline.completion(1, finished("a", 2, null));
    assertThat(timeline.missing()).contains("the results of any lens");

    timeline.result(0, 10, rows("a", "logit", 0, 1));
    assertThat(timeline.missing().orElseThrow()).contains("[1] of 2");

    timeline.result(1, 10, rows("a", "logit", 1, 1));
    assertThat(timeline.missing()).isEmpty();
  }

  @Test
  void shouldMissNothingWhenNoLensWasAsked() throws IOException {
    Timeline timeline = live(Live.START);

    timeline.completion(1, finished("a", 2, List.of()));

    assertThat(timeline.missing()).isEmpty();
  }

  @Test
  void shouldLetAGapWithoutLensStandForAllWhenLensesWereAsked() throws IOException {
    Timeline timeline = live(Live.START);
    timeline.completion(1, finished("a", 1, List.of("logit", "tuned")));

    timeline.result(0, 10, gap("a", "", 0));

    assertThat(timeline.missing()).isEmpty();
  }

  @Test
  void shouldPutRowsInOrderWhenSettledResultsAreNot() throws IOException {
    Timeline timeline = settled(Settled.START);
    timeline.completion(0, tokens("a", 1));
    timeline.completion(1, tokens("b", 2));
    assertThat(told).isEmpty();

    timeline.completion(2, finished("b", 2, List.of("logit")));
    assertThat(timeline.verdict("a")).isEqualTo(Verdict.DROP);
    timeline.result(0, 10, rows("b", "logit", 1, 1));
    assertThat(told).containsExactly("s1 token", "s2 token");
    timeline.result(1, 10, rows("b", "logit", 0, 1));
    timeline.end(null);

    assertThat(told)
        .containsExactly("s1 token", "s2 token", "s3 lens", "s4 lens", "s5-end finished");
  }

  @Test
  void shouldTellTheRestWhenASettledStreamResumes() throws IOException {
    Timeline timeline = settled(new Settled(3, false));
    timeline.completion(1, tokens("b", 2));
    timeline.completion(2, finished("b", 1, List.of("logit")));
    timeline.result(0, 10, rows("b", "logit", 0, 3));

    assertThat(told).containsExactly("s4 lens", "s5 lens");
  }

  @Test
  void shouldCloseWhenTooMuchWaitsForAnEarlierResult() throws IOException {
    Timeline timeline = settled(Settled.START);
    timeline.completion(2, finished("b", 9, List.of("logit")));

    assertThat(
            catchThrowableOfType(
                    StreamClosedException.class,
                    () -> timeline.result(0, HELD_BYTES + 1, rows("b", "logit", 1, 1)))
                .code())
        .isEqualTo("OUT_OF_ORDER");
  }

  private Timeline live(Live from) {
    return new LiveTimeline(from, RowFilter.ALL, sink);
  }

  private Timeline settled(Settled from) {
    return new SettledTimeline(from, HELD_BYTES, RowFilter.ALL, sink);
  }

  private static CompletionEvent.Builder event(String attempt, CompletionType type) {
    return CompletionEvent.newBuilder().setRequestId("r").setAttemptId(attempt).setType(type);
  }

  private static CompletionEvent tokens(String attempt, int count) {
    return event(attempt, CompletionType.TOKENS)
        .setTokens(
            Tokens.newBuilder()
                .setPositions(Collections.nCopies(count, 4))
                .setIds(Collections.nCopies(count, 5))
                .setTexts(Collections.nCopies(count, "x"))
                .build())
        .build();
  }

  private static CompletionEvent finished(String attempt, int chunks, List<String> lenses) {
    return event(attempt, CompletionType.FINISHED)
        .setFinished(Finished.newBuilder().setChunks(chunks).setLenses(lenses).build())
        .build();
  }

  private static LensResult rows(String attempt, String lens, int sequence, int positions) {
    List<Integer> list = Collections.nCopies(positions, 1);
    return LensResult.newBuilder()
        .setRequestId("r")
        .setAttemptId(attempt)
        .setLens(lens)
        .setSequence(sequence)
        .setHookPoint(HookPoint.RESIDUAL_POST)
        .setLayers(List.of(0))
        .setPositions(list)
        .setTokenIds(list)
        .build();
  }

  private static LensResult gap(String attempt, String lens, int sequence) {
    return LensResult.newBuilder()
        .setRequestId("r")
        .setAttemptId(attempt)
        .setLens(lens)
        .setGap(Gap.newBuilder().setMissingSequences(List.of(sequence)).build())
        .build();
  }
}
