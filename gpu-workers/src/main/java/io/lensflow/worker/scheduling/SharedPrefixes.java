package io.lensflow.worker.scheduling;

import io.lensflow.engine.steering.PrefixSteering;
import io.lensflow.worker.ranks.StepPlan;
import io.lensflow.worker.steering.SteeringUse;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * Finds the sequence whose first tokens a prompt has in common, so that their keys and values are
 * copied and not computed again: both texts of a contrastive pair, a system prompt, a conversation
 * that goes on.
 *
 * <p>Every captured row still comes: what is captured is computed, so that a prompt shares nothing
 * from its first captured position on. Used within one step's composition.
 */
final class SharedPrefixes {
  /** Shares nothing. */
  static final SharedPrefixes NONE = new SharedPrefixes(List.of(), false);

  /** Fewer are computed sooner than a mask over the rest of the prompt. */
  private static final int FEWEST = 16;

  private final Collection<Generation> sources;
  private final boolean shares;

  private SharedPrefixes(Collection<Generation> sources, boolean shares) {
    this.sources = sources;
    this.shares = shares;
  }

  /**
   * Shares what sequences hold that are open.
   *
   * @param sources these sequences
   */
  static SharedPrefixes of(Collection<Generation> sources) {
    return new SharedPrefixes(sources, true);
  }

  /**
   * The longest prefix of a prompt that another sequence holds, or will when its turn in this step
   * has come; null if there is none.
   *
   * @param planned what this step feeds before the prompt's first chunk
   */
  StepPlan.Prefix longest(Generation joining, List<StepPlanner.Planned> planned) {
    if (!shares) {
      return null;
    }
    Generation source = null;
    int longest = FEWEST - 1;
    for (Generation one : sources) {
      int common = common(joining, one, one.consumed());
      if (common > longest) {
        source = one;
        longest = common;
      }
    }
    for (StepPlanner.Planned one : planned) {
      int held = one.generation().consumed() + one.feed().tokenIds().length;
      int common = common(joining, one.generation(), held);
      if (common > longest) {
        source = one.generation();
        longest = common;
      }
    }
    return source == null
        ? null
        : new StepPlan.Prefix(
            source.sequence(), Arrays.copyOf(joining.run().request().promptIds(), longest));
  }

  /** How many tokens a prompt can take over from a source that has consumed so many; 0 if none. */
  private static int common(Generation joining, Generation source, int held) {
    int[] prompt = joining.run().request().promptIds();
    int[] other = source.run().request().promptIds();
    int most = Math.min(joining.firstComputed(), Math.min(held, other.length));
    int differs = Arrays.mismatch(prompt, 0, most, other, 0, most);
    int common = differs < 0 ? most : differs;
    return steering(joining).isSameAs(steering(source), common) ? common : 0;
  }

  private static PrefixSteering<SteeringUse> steering(Generation generation) {
    return new PrefixSteering<>(
        generation.run().steering().uses(),
        SteeringUse::positions,
        generation.run().request().promptLength());
  }
}
