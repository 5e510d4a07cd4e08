package io.lensflow.worker.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.worker.ranks.StepPlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How prompts are read beside sequences that generate. */
class PromptReadingTest extends SchedulerStage {
  @Test
  void shouldReadAPromptInChunksBesideASequenceThatGenerates() {
    submit(bare("ab", 5));
    StepPlan first = nextPlan();
    assertThat(first.open()).hasSize(1);
    submit(bare("0123456789", 2));
    answer(first, false);

    StepPlan second = nextPlan();
    assertThat(second.feed()).extracting(f -> f.tokenIds().length).containsExactly(1, 4);
    assertThat(second.feed())
        .extracting(StepPlan.Feed::logits)
        .containsExactly(Logits.SUMMARY, Logits.NONE);
    answer(second, false);
    StepPlan third = nextPlan();
    assertThat(third.feed()).extracting(f -> f.tokenIds().length).containsExactly(1, 4);
    answer(third, false);
    StepPlan fourth = nextPlan();
    assertThat(fourth.feed()).extracting(f -> f.tokenIds().length).containsExactly(1, 2);
    assertThat(fourth.feed().get(1).logits()).isEqualTo(Logits.SUMMARY);
  }

  @Test
  void shouldReadPromptsInTurnsWhenALongOneRuns() {
    submit(bare("0123456789ab", 9));
    StepPlan first = nextPlan();
    submit(bare("xy", 9));
    answer(first, false);
    StepPlan second = nextPlan();
    answer(second, false);
    StepPlan third = nextPlan();

    // The long prompt's turn was earlier; then it is the short one's, and the rest is for the long.
    assertThat(lengths(second)).containsExactly(4);
    assertThat(opened(second)).isEmpty();
    assertThat(opened(third)).hasSize(1);
    assertThat(third.feed().get(0).sequence()).isEqualTo(opened(third).get(0));
    assertThat(lengths(third)).containsExactly(2, 2);
  }

  @Test
  void shouldBoundThePromptTokensOfAStepWhenManyPromptsAreLong() {
    scheduler = spawn(4, 4, 1_000_000);
    submit(bare("ab", 30));
    StepPlan plan = nextPlan();
    submit(bare("0123456789", 1));
    submit(bare("0123456789abcdefgh", 1));
    submit(bare("012", 1));
    int prompts = 0;
    while (prompts < 10 + 18 + 3) {
      answer(plan, false);
      plan = nextPlan();
      assertThat(plan.feed().get(0).tokenIds()).hasSize(1);
      int tokens = lengths(plan).stream().mapToInt(Integer::intValue).sum() - 1;
      assertThat(tokens).isBetween(1, 4);
      prompts += tokens;
    }
    assertThat(prompts).isEqualTo(31);
  }

  @Test
  void shouldCutPromptsAtTheSamePlacesWhoeverRunsBesideWhenChunksAreWhole() {
    scheduler = spawn(4, 4, true, 1_000_000);
    submit(bare("0123456789", 9));
    StepPlan plan = nextPlan();
    submit(bare("abcdef", 9));
    Map<Long, List<Integer>> chunks = new HashMap<>();
    for (int step = 0; step < 6; step++) {
      for (StepPlan.Feed feed : plan.feed()) {
        chunks.computeIfAbsent(feed.sequence(), s -> new ArrayList<>()).add(feed.tokenIds().length);
      }
      answer(plan, false);
      plan = nextPlan();
    }

    assertThat(chunks.get(0L)).startsWith(4, 4, 2, 1);
    assertThat(chunks.get(1L)).startsWith(4, 2, 1);
  }
}
