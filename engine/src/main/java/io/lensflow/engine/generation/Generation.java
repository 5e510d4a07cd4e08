package io.lensflow.engine.generation;

import io.lensflow.engine.Engine;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.steering.SteeringSite;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Generates one sequence: the prompt in chunks, then token by token. A pass consumes every token
 * but the last generated one, so P prompt and G generated tokens give P+G−1 rows.
 *
 * @param maxNewTokens most tokens to generate; 0 only consumes the prompt
 * @param stopIds ids that end the sequence, themselves kept
 * @param sampling how tokens are chosen
 * @param capture rows to set aside
 * @param steering vectors to apply
 * @param allLogits whether the observer gets logits of every row, not only those that a token is
 *     chosen from
 * @param chunk most prompt tokens per step
 */
public record Generation(
    int maxNewTokens,
    Set<Integer> stopIds,
    SamplingOptions sampling,
    CapturePlan capture,
    List<SteeringSite> steering,
    boolean allLogits,
    int chunk) {
  private static final int DEFAULT_CHUNK = 512;

  public Generation {
    stopIds = Set.copyOf(stopIds);
    steering = List.copyOf(steering);
    if (maxNewTokens < 0) {
      throw new IllegalArgumentException("maxNewTokens is " + maxNewTokens);
    }
    if (chunk < 1) {
      throw new IllegalArgumentException("chunk is " + chunk);
    }
  }

  /** Greedy generation without capture or steering. */
  public static Generation greedy(int maxNewTokens, Set<Integer> stopIds) {
    return new Generation(
        maxNewTokens,
        stopIds,
        SamplingOptions.GREEDY,
        CapturePlan.NONE,
        List.of(),
        false,
        DEFAULT_CHUNK);
  }

  /** This generation with rows set aside. */
  public Generation capturing(CapturePlan plan) {
    return new Generation(maxNewTokens, stopIds, sampling, plan, steering, allLogits, chunk);
  }

  /** This generation, steered. */
  public Generation steered(List<SteeringSite> sites) {
    return new Generation(maxNewTokens, stopIds, sampling, capture, sites, allLogits, chunk);
  }

  /** This generation with logits of every row. */
  public Generation withAllLogits() {
    return new Generation(maxNewTokens, stopIds, sampling, capture, steering, true, chunk);
  }

  /** This generation with another bound on the prompt tokens of one step. */
  public Generation inChunksOf(int tokens) {
    return new Generation(maxNewTokens, stopIds, sampling, capture, steering, allLogits, tokens);
  }

  /**
   * Runs it.
   *
   * @param promptIds P ≥ 1 token ids
   * @param observer sees every step's output, in order
   * @return the G generated ids
   * @throws IllegalArgumentException if prompt and output do not fit the model's context
   */
  public int[] run(Engine engine, int[] promptIds, Consumer<StepOutput> observer) {
    int p = promptIds.length;
    int length = p + Math.max(0, maxNewTokens - 1);
    Sampler sampler = Sampler.of(sampling, promptIds);
    int[] generated = new int[maxNewTokens];
    try (Sequence sequence = engine.open(new SequenceOptions(p, length, capture, steering))) {
      StepOutput output = prefill(engine, sequence, promptIds, sampler.needs(), observer);
      int count = 0;
      while (count < maxNewTokens) {
        int id = sampler.next(last(engine, output.logits()), output.summary(), p + count);
        generated[count++] = id;
        if (count == maxNewTokens || stopIds.contains(id)) {
          break;
        }
        Logits wanted = allLogits ? Logits.LAST : sampler.needs();
        output = engine.step(List.of(new StepInput(sequence, new int[] {id}, wanted))).get(0);
        observer.accept(output);
      }
      return Arrays.copyOf(generated, count);
    }
  }

  /** Consumes the prompt; the output of its last chunk. */
  private StepOutput prefill(
      Engine engine,
      Sequence sequence,
      int[] promptIds,
      Logits needed,
      Consumer<StepOutput> observer) {
    StepOutput output = null;
    for (int at = 0; at < promptIds.length; at += chunk) {
      int end = Math.min(promptIds.length, at + chunk);
      Logits wanted = allLogits ? Logits.ALL : end == promptIds.length ? needed : Logits.NONE;
      int[] ids = Arrays.copyOfRange(promptIds, at, end);
      output = engine.step(List.of(new StepInput(sequence, ids, wanted))).get(0);
      observer.accept(output);
    }
    return output;
  }

  /** Logits of the last row, of however many there are. */
  private static float[] last(Engine engine, float[] logits) {
    int v = engine.config().vocabularySize();
    return logits.length <= v
        ? logits
        : Arrays.copyOfRange(logits, logits.length - v, logits.length);
  }
}
