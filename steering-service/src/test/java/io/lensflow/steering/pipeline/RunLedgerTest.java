package io.lensflow.steering.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.client.follow.SettledEvent;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.Gap;
import io.lensflow.records.LensResult;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RunLedgerTest {
  private static final Instant BEGUN = Instant.parse("2026-05-04T03:02:01Z");
  private static final Instant UNTIL = BEGUN.plusSeconds(60);

  private final RequestIds ids = new RequestIds("job", BEGUN);
  private final Map<Integer, List<Answer>> answers = new TreeMap<>();
  private final RunLedger ledger =
      new RunLedger(
          ids,
          "rows",
          1,
          (index, answer) -> answers.computeIfAbsent(index, none -> new ArrayList<>()).add(answer));

  @Test
  void shouldLeaveOutWhatComesAfterARequestHasExpired() {
    ledger.sent(ledger.nextUnsent(), UNTIL);
    ledger.take(outcome(0));
    ledger.expire(UNTIL);
    ledger.take(chunk(0));
    ledger.take(new SettledEvent.Results(id(0), LensResult.newBuilder().build()));
    ledger.take(lost(0));
    ledger.take(new SettledEvent.Abandoned(id(0), "silent"));
    ledger.take(complete(0));

    assertThat(ledger.isDone()).isTrue();
    assertThat(ledger.inFlight()).isEmpty();
    assertThat(ledger.hasUnsent()).isFalse();
    assertThat(onlyAnswer().failure().orElseThrow().getCode()).isEqualTo("DEADLINE_EXCEEDED");
  }

  @Test
  void shouldTakeTheAnswerToARepeatWhenAnEarlierRunAskedForIt() {
    assertThat(ledger.awaits(id(1))).isTrue();
    ledger.recall(Set.of(id(0), id(1)), UNTIL);
    assertThat(ledger.hasUnsent()).isFalse();
    assertThat(ledger.inFlight()).containsExactly(id(1));

    ledger.take(outcome(0));
    ledger.take(lost(0));
    ledger.take(complete(0));
    ledger.take(outcome(1));
    ledger.take(chunk(1));
    ledger.take(complete(1));
    assertThat(ledger.isDone()).isTrue();
    assertThat(ledger.inFlight()).isEmpty();
    assertThat(onlyAnswer().failure()).isEmpty();
    assertThat(onlyAnswer().chunks()).hasSize(1);
  }

  @Test
  void shouldAskUnderAnIdThatNobodyAskedUnderWhenARepeatIsLostToo() {
    ledger.recall(Set.of(id(0), id(1)), UNTIL);
    ledger.take(new SettledEvent.Abandoned(id(1), "silent"));
    ledger.take(new SettledEvent.Abandoned(id(0), "silent"));
    assertThat(ledger.inFlight()).isEmpty();
    int index = ledger.nextUnsent();
    assertThat(ledger.id(index)).isEqualTo(id(2));
    assertThat(ledger.hasUnsent()).isFalse();

    ledger.sent(index, UNTIL);
    ledger.take(outcome(2));
    ledger.take(lost(2));
    ledger.take(complete(2));
    assertThat(ledger.isDone()).isTrue();
    assertThat(onlyAnswer().failure().orElseThrow().getMessage()).isEqualTo("a broken chunk");
  }

  @Test
  void shouldPreferAWholeAnswerToTheFailureOfAnEarlierAsk() {
    ledger.recall(Set.of(id(0), id(1)), UNTIL);
    CompletionEvent failed = CompletionEvent.newBuilder().setType(CompletionType.FAILED).build();
    ledger.take(new SettledEvent.Outcome(id(0), Optional.empty(), List.of(), failed));
    ledger.take(new SettledEvent.Complete(id(0), failed));
    assertThat(answers).isEmpty();

    ledger.take(outcome(1));
    ledger.take(complete(1));
    assertThat(onlyAnswer().failure()).isEmpty();
  }

  private Answer onlyAnswer() {
    assertThat(answers).containsOnlyKeys(0);
    assertThat(answers.get(0)).hasSize(1);
    return answers.get(0).get(0);
  }

  private String id(int repeat) {
    return ids.of("rows", 0, repeat);
  }

  private SettledEvent outcome(int repeat) {
    return new SettledEvent.Outcome(id(repeat), Optional.empty(), List.of(), FINISHED);
  }

  private SettledEvent chunk(int repeat) {
    return new SettledEvent.Chunk(id(repeat), ActivationChunk.newBuilder().build());
  }

  private SettledEvent lost(int repeat) {
    Gap gap = Gap.newBuilder().setReason("a broken chunk").build();
    return new SettledEvent.Lost(id(repeat), LensResult.newBuilder().setGap(gap).build());
  }

  private SettledEvent complete(int repeat) {
    return new SettledEvent.Complete(id(repeat), FINISHED);
  }

  private static final CompletionEvent FINISHED =
      CompletionEvent.newBuilder().setType(CompletionType.FINISHED).build();
}
