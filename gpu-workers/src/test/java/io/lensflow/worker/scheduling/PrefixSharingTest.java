package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.PromptRequest;
import io.lensflow.worker.Traffic;
import io.lensflow.worker.ranks.StepPlan;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Prompts that begin like others are read from where they differ, if all of their rows still come.
 */
class PrefixSharingTest extends SchedulerStage {
  /** 20 tokens, one a byte. */
  private static final String BEGINNING = "You are a good model";

  @BeforeEach
  void share() {
    free = 4000;
    sharing(0.5);
  }

  private void sharing(double share) {
    prefixShare = share;
    scheduler = spawn(8, 64, 1_000_000);
  }

  private static PromptRequest captured(String text, String positions) {
    return Traffic.request(text, 1, r -> r.getCapture().setPositions(positions));
  }

  private StepPlan.Prefix onlyPrefix(StepPlan plan) {
    assertThat(plan.open()).hasSize(1);
    return plan.open().get(0).prefix();
  }

  /** Runs a request to its end; its sequence. */
  private long ended(PromptRequest request) {
    submit(request);
    StepPlan plan = nextPlan();
    answer(plan, false);
    finish();
    return opened(plan).get(0);
  }

  @Test
  void shouldReadWhatDiffersWhenAnotherHoldsTheRest() {
    submit(bare(BEGINNING + ". One?", 9));
    StepPlan first = nextPlan();
    submit(bare(BEGINNING + ". Two?", 1));
    answer(first, false);

    StepPlan second = nextPlan();

    assertThat(onlyPrefix(first)).isNull();
    assertThat(onlyPrefix(second).source()).isEqualTo(opened(first).get(0));
    assertThat(new String(bytes(onlyPrefix(second).tokenIds()))).isEqualTo(BEGINNING + ". ");
    // One token of the first, and "Two?".
    assertThat(lengths(second)).containsExactly(1, 4);
  }

  private static byte[] bytes(int[] ids) {
    byte[] bytes = new byte[ids.length];
    for (int i = 0; i < ids.length; i++) {
      bytes[i] = (byte) ids[i];
    }
    return bytes;
  }

  @Test
  void shouldShareWhatTheSameStepReadsWhenBothJoin() {
    scheduler = spawn(8, 30, 1_000_000);
    submit(bare("x", 9));
    StepPlan before = nextPlan();
    submit(bare(BEGINNING + ". One?", 1));
    submit(bare(BEGINNING + ". Two?", 1));
    submit(bare(BEGINNING + ". Three?", 1));
    answer(before, false);

    StepPlan plan = nextPlan();

    // 26 and 4 tokens: all that a step reads; the last waits, and there is a source then, too.
    assertThat(lengths(plan)).containsExactly(1, 26, 4);
    assertThat(plan.open().get(0).prefix()).isNull();
    assertThat(plan.open().get(1).prefix().source()).isEqualTo(opened(plan).get(0));
    answer(plan, false);
    StepPlan next = nextPlan();
    assertThat(onlyPrefix(next).tokenIds()).hasSize(BEGINNING.length() + 3);
    assertThat(lengths(next)).containsExactly(1, 5);
  }

  @Test
  void shouldComputeEveryRowThatIsCapturedAndTheLastOfThePrompt() {
    String prompt = BEGINNING + ". One?";
    submit(bare(prompt, 9));
    StepPlan first = nextPlan();
    List<PromptRequest> others =
        List.of(
            captured(prompt, "all"),
            captured(prompt, "18-"),
            captured(prompt, "last_prompt"),
            captured(prompt, "generated"));
    others.forEach(this::submit);
    answer(first, false);

    StepPlan second = nextPlan();

    assertThat(second.open())
        .extracting(one -> one.prefix() == null ? 0 : one.prefix().tokenIds().length)
        .containsExactly(0, 18, 25, 25);
  }

  @Test
  void shouldBeginLikeASequenceThatHasEndedUntilItsRoomIsNeeded() {
    long first = ended(bare(BEGINNING + ". One?", 1));
    submit(bare(BEGINNING + ". Two?", 1));
    StepPlan second = nextPlan();
    assertThat(second.close()).isEmpty();
    assertThat(onlyPrefix(second).source()).isEqualTo(first);

    // Two blocks of 16 tokens each are held by the first and the second; the next needs three.
    free = 16;
    answer(second, false);
    finish();
    submit(bare("0123456789".repeat(4), 1));
    StepPlan third = nextPlan();
    assertThat(third.close()).containsExactly(first);
    answer(third, false);
    finish();
    submit(bare(BEGINNING + ". Three?", 1));
    assertThat(onlyPrefix(nextPlan()).source()).isEqualTo(opened(second).get(0));
  }

  @Test
  void shouldCloseOthersFirstWhenItNeedsRoomAndBeginsLikeTheOldest() {
    long oldest = ended(bare(BEGINNING + ". One?", 1));
    long younger = ended(bare("another prompt of 32 tokens or so", 1));
    free = 0;
    submit(bare("x", 9));
    answer(nextPlan(), false);

    submit(bare(BEGINNING + ". Two?", 1));
    answer(nextPlan(), false);
    StepPlan plan = nextPlan();
    while (plan.open().isEmpty()) {
      answer(plan, false);
      plan = nextPlan();
    }

    assertThat(onlyPrefix(plan).source()).isEqualTo(oldest);
    assertThat(plan.close()).containsExactly(younger);
  }

  @Test
  void shouldReadEverythingByTheBudgetWhenTheRoomOfWhatItBeginsLikeIsNeeded() {
    scheduler = spawn(8, 8, 1_000_000);
    submit(bare(BEGINNING + ". One?", 1));
    StepPlan first = nextPlan();
    answer(first, false);
    // 8 of 26 tokens were read; the rest takes three steps.
    for (int i = 0; i < 3; i++) {
      answer(nextPlan(), false);
    }
    finish();
    free = 0;
    submit(bare("x", 9));
    StepPlan before = nextPlan();
    submit(bare(BEGINNING + ". Two?", 1));
    answer(before, false);

    StepPlan plan = nextPlan();

    assertThat(plan.close()).containsExactly(opened(first).get(0));
    assertThat(onlyPrefix(plan)).isNull();
    assertThat(lengths(plan)).containsExactly(1, 8);
  }

  @Test
  void shouldHoldNoMoreThanItsShareWhenManyHaveEnded() {
    sharing(64 / 4000.0);
    long first = ended(bare(BEGINNING + ". One?", 1));
    long second = ended(bare("another prompt of 32 tokens or so", 1));
    StepPlan third = nextPlan();

    // 32 and 48 tokens are more than 64: the older goes.
    assertThat(third.close()).containsExactly(first);
    answer(third, false);
    submit(bare("another prompt of 32 tokens and more", 1));
    assertThat(onlyPrefix(nextPlan()).source()).isEqualTo(second);
  }

  @Test
  void shouldReadEveryPromptFromItsBeginningWhenNothingIsToBeHeld() {
    sharing(0);
    long first = ended(bare(BEGINNING, 1));
    StepPlan second = nextPlan();
    assertThat(second.close()).containsExactly(first);
    answer(second, false);
    submit(bare(BEGINNING, 1));
    assertThat(onlyPrefix(nextPlan())).isNull();
  }

  @Test
  void shouldReadEveryPromptFromItsBeginningWhenRowsMustNotDependOnOthers() {
    scheduler = spawn(8, 64, true, 1_000_000);
    ended(bare(BEGINNING, 1));
    submit(bare(BEGINNING, 1));
    assertThat(onlyPrefix(nextPlan())).isNull();
  }
}
