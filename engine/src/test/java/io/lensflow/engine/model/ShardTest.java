package io.lensflow.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.engine.model.Shard.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Ranks share a model without gap or overlap, whatever its sizes. */
class ShardTest {
  private static final int MODELS = 300;

  @Test
  void shouldCoverEverythingOnceWhenSizesAreOdd() {
    Random random = new Random(5);
    for (int i = 0; i < MODELS; i++) {
      int ranks = 1 + random.nextInt(9);
      int keyValueHeads = ranks * (1 + random.nextInt(3));
      ModelConfig config =
          config(
              ranks + random.nextInt(900),
              keyValueHeads * (1 + random.nextInt(3)),
              keyValueHeads,
              ranks + random.nextInt(900),
              1 + random.nextInt(2000));
      Shard.check(config, ranks);
      cover(ranks, config.heads(), shard -> shard.heads(config));
      cover(ranks, config.keyValueHeads(), shard -> shard.keyValueHeads(config));
      cover(ranks, config.hiddenSize(), shard -> shard.columns(config));
      cover(ranks, config.vocabularySize(), shard -> shard.vocabulary(config));
      List<Integer> mlp = cover(ranks, config.mlpSize(), shard -> shard.mlp(config));
      assertThat(mlp).allMatch(count -> Math.abs(count - mlp.get(0)) <= 1);
    }
  }

  /** How many each rank has. */
  private static List<Integer> cover(int ranks, int size, Function<Shard, Range> part) {
    List<Integer> counts = new ArrayList<>();
    int next = 0;
    for (int rank = 0; rank < ranks; rank++) {
      Range range = part.apply(new Shard(rank, ranks));
      assertThat(range.count()).isNotNegative();
      assertThat(range.first()).as("rank %d of %d, size %d", rank, ranks, size).isEqualTo(next);
      next += range.count();
      counts.add(range.count());
    }
    assertThat(next).isEqualTo(size);
    return counts;
  }

  @Test
  void shouldCopyTheHeadThatItsQueriesShareWhenThereAreMoreRanksThanKeyValueHeads() {
    ModelConfig config = config(64, 24, 4, 64, 100);
    for (int ranks : new int[] {8, 12, 24}) {
      Shard.check(config, ranks);
      for (int rank = 0; rank < ranks; rank++) {
        Shard shard = new Shard(rank, ranks);
        Range queries = shard.heads(config);
        Range own = shard.keyValueHeads(config);
        assertThat(own.count()).isEqualTo(1);
        for (int head = queries.first(); head < queries.first() + queries.count(); head++) {
          assertThat(head / (config.heads() / config.keyValueHeads())).isEqualTo(own.first());
        }
      }
    }
  }

  @Test
  void shouldNameWhatIsPossibleWhenHeadsCannotBeShared() {
    ModelConfig smollm2 = config(576, 9, 3, 1536, 49152);
    for (int ranks : new int[] {1, 3, 9}) {
      Shard.check(smollm2, ranks);
    }
    for (int ranks : new int[] {0, 2, 4, 6, 18}) {
      assertThatThrownBy(() -> Shard.check(smollm2, ranks))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "%d tensor-parallel ranks cannot share 9 query and 3 key/value heads evenly; possible are 1, 3, 9",
              ranks);
    }
    assertThatThrownBy(() -> Shard.check(config(64, 12, 4, 64, 100), 6))
        .hasMessageEndingWith("possible are 1, 2, 4, 12");
  }

  private static ModelConfig config(int d, int heads, int keyValueHeads, int f, int v) {
    return new ModelConfig(
        "LlamaForCausalLM", 2, d, heads, keyValueHeads, 8, f, v, 64, 1e-5, null, false, Set.of());
  }
}
