package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.KvCapacityException;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.model.KvBlocks.Run;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** No block is lost, given twice, or too scattered to be used. */
class KvBlocksTest {
  private static final int SIZE = KvBlocks.BLOCK_TOKENS;
  private static final int OPERATIONS = 100_000;
  private static final int POOL_BLOCKS = 97;

  @Test
  void shouldEndWithOneFreeRunWhenReservedAndReleasedAtRandom() {
    Random random = new Random(11);
    KvBlocks blocks = new KvBlocks(POOL_BLOCKS * SIZE);
    BitSet taken = new BitSet();
    List<List<Run>> held = new ArrayList<>();
    int scattered = 0;
    int refused = 0;
    for (int i = 0; i < OPERATIONS; i++) {
      if (random.nextInt(held.size() + 1) > 4) {
        List<Run> runs = held.remove(random.nextInt(held.size()));
        blocks.release(runs);
        runs.forEach(run -> clear(taken, run));
      } else {
        int tokens = 1 + random.nextInt(25 * SIZE);
        int needed = (tokens + SIZE - 1) / SIZE;
        if (needed > POOL_BLOCKS - taken.cardinality()) {
          assertThatThrownBy(() -> blocks.reserve(tokens)).isInstanceOf(KvCapacityException.class);
          refused++;
        } else {
          List<Run> runs = blocks.reserve(tokens);
          held.add(runs);
          scattered += runs.size() > 1 ? 1 : 0;
          runs.forEach(run -> take(taken, run));
          assertThat(runs.stream().mapToInt(Run::count).sum()).isEqualTo(needed);
        }
      }
      assertThat(blocks.freeTokens()).isEqualTo((POOL_BLOCKS - taken.cardinality()) * SIZE);
    }
    assertThat(scattered).as("scattered reservations").isPositive();
    assertThat(refused).as("refused reservations").isPositive();
    held.forEach(blocks::release);
    assertThat(blocks.reserve(blocks.tokens())).containsExactly(new Run(0, POOL_BLOCKS));
  }

  private static void take(BitSet taken, Run run) {
    int end = run.first() + run.count();
    assertThat(run.first()).isNotNegative();
    assertThat(end).isLessThanOrEqualTo(POOL_BLOCKS);
    assertThat(run.count()).isPositive();
    assertThat(taken.get(run.first(), end).isEmpty()).as("%s was free", run).isTrue();
    taken.set(run.first(), end);
  }

  private static void clear(BitSet taken, Run run) {
    taken.clear(run.first(), run.first() + run.count());
  }

  @Test
  void shouldTakeSeveralRunsWhenNoneIsLongEnough() {
    KvBlocks blocks = new KvBlocks(8 * SIZE);
    List<List<Run>> held = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      held.add(blocks.reserve(2 * SIZE));
    }
    blocks.release(held.get(0));
    blocks.release(held.get(2));
    assertThat(blocks.reserve(3 * SIZE + 1))
        .containsExactlyInAnyOrder(new Run(0, 2), new Run(4, 2));
    assertThatThrownBy(() -> blocks.reserve(1))
        .isInstanceOf(KvCapacityException.class)
        .hasMessageContaining("0 of 128 tokens are free");
  }

  @Test
  void shouldMergeNeighboursWhenReleasedInAnyOrder() {
    for (int[] order : new int[][] {{0, 1, 2}, {2, 1, 0}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}}) {
      KvBlocks blocks = new KvBlocks(3 * SIZE);
      List<List<Run>> held =
          List.of(blocks.reserve(SIZE), blocks.reserve(1), blocks.reserve(SIZE - 1));
      for (int i : order) {
        blocks.release(held.get(i));
      }
      assertThat(blocks.reserve(3 * SIZE)).containsExactly(new Run(0, 3));
    }
  }

  @Test
  void shouldPreferTheShortestRunThatIsLongEnough() {
    KvBlocks blocks = new KvBlocks(10 * SIZE);
    List<Run> first = blocks.reserve(4 * SIZE);
    blocks.reserve(SIZE);
    List<Run> second = blocks.reserve(2 * SIZE);
    blocks.reserve(SIZE);
    blocks.release(first);
    blocks.release(second);
    assertThat(blocks.reserve(2 * SIZE)).containsExactly(new Run(5, 2));
    assertThat(blocks.reserve(3 * SIZE)).containsExactly(new Run(0, 3));
  }

  @Test
  void shouldFindEveryPositionWhenASequenceIsScattered() {
    List<Run> runs = List.of(new Run(7, 1), new Run(2, 2));
    RunningSequence sequence =
        new RunningSequence(
            null,
            new SequenceOptions(1, 3 * SIZE, CapturePlan.NONE, List.of()),
            null,
            runs,
            null,
            0);
    assertThat(sequence.poolRow(0)).isEqualTo(7 * SIZE);
    assertThat(sequence.poolRow(SIZE - 1)).isEqualTo(8 * SIZE - 1);
    assertThat(sequence.poolRow(SIZE)).isEqualTo(2 * SIZE);
    assertThat(sequence.poolRow(3 * SIZE - 1)).isEqualTo(4 * SIZE - 1);
    assertThatThrownBy(() -> sequence.poolRow(3 * SIZE))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("position 48");
    assertThat(sequence.runStart(0, SIZE)).isEqualTo(7 * SIZE);
    assertThat(sequence.runStart(3, 4)).isEqualTo(7 * SIZE + 3);
    assertThat(sequence.runStart(0, SIZE + 1)).isEqualTo(-1);
    assertThat(sequence.runStart(SIZE - 1, 3 * SIZE)).isEqualTo(-1);
    assertThat(sequence.runStart(SIZE, 3 * SIZE)).isEqualTo(2 * SIZE);
    assertThat(sequence.runStart(SIZE + 5, 3 * SIZE)).isEqualTo(2 * SIZE + 5);
  }
}
