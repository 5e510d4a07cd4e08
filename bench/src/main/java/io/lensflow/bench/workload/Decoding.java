package io.lensflow.bench.workload;

import io.lensflow.engine.Engine;
import io.lensflow.engine.Sequence;
import io.lensflow.engine.SequenceOptions;
import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.generation.Sampler;
import io.lensflow.engine.generation.SamplingOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * B sequences that are read in and then go on together, a token a step: the engine as a worker's
 * scheduler drives it, sampler included, end-of-sequence tokens ignored.
 *
 * <p>Not thread-safe: used by the thread that uses the engine.
 */
public final class Decoding implements AutoCloseable {
  /** Most prompt tokens of a step while reading in. */
  private static final int CHUNK = 512;

  /** No engine's blocks are larger. */
  private static final int KV_BLOCK = 64;

  /** Sees what each step gave, sequence by sequence, after the sampler chose the next token. */
  @FunctionalInterface
  public interface Observer {
    /** Lets everything pass. */
    Observer NONE = (sequence, consumed, next, output) -> {};

    /**
     * @param sequence 0 … B−1
     * @param consumed the T token ids that the step consumed
     * @param next the token chosen; null while the prompt is being read
     * @param output what the engine gave
     */
    void accept(int sequence, int[] consumed, Integer next, StepOutput output);

    /** Every sequence of the step was seen. */
    default void endOfStep() {}
  }

  private final Engine engine;
  private final Observer observer;
  private final List<Running> running = new ArrayList<>();

  /** One sequence. */
  private static final class Running {
    private final int[] prompt;
    private final Sequence sequence;
    private final Sampler sampler;
    private int next;

    Running(int[] prompt, Sequence sequence) {
      this.prompt = prompt;
      this.sequence = sequence;
      this.sampler = Sampler.of(SamplingOptions.GREEDY, prompt);
    }
  }

  /**
   * Opens the sequences.
   *
   * @param prompts one per sequence, equally long
   * @param steps how many steps will follow the reading in
   * @param plan what every sequence captures
   */
  public Decoding(
      Engine engine, List<int[]> prompts, int steps, CapturePlan plan, Observer observer) {
    this.engine = engine;
    this.observer = observer;
    for (int[] prompt : prompts) {
      SequenceOptions options =
          new SequenceOptions(prompt.length, prompt.length + steps, plan, List.of());
      running.add(new Running(prompt, engine.open(options)));
    }
  }

  /**
   * Tokens that an engine's pool needs for so many sequences of so many tokens; it hands them out
   * in blocks.
   */
  public static int kvTokens(int sequences, int tokens) {
    return sequences * ((tokens + KV_BLOCK - 1) / KV_BLOCK * KV_BLOCK);
  }

  /** B prompts of P tokens each, all different. */
  public static List<int[]> prompts(Engine engine, int batch, int tokens) {
    List<int[]> prompts = new ArrayList<>();
    for (int b = 0; b < batch; b++) {
      prompts.add(Prompts.ids(tokens, b, engine.config().vocabularySize()));
    }
    return prompts;
  }

  /** Reads the prompts in, chunk by chunk, and chooses the first token of each sequence. */
  public Decoding prefill() {
    int p = running.get(0).prompt.length;
    int chunk = Math.max(1, CHUNK / running.size());
    for (int at = 0; at < p; at += chunk) {
      int from = at;
      int to = Math.min(p, at + chunk);
      step(running.stream().map(one -> Arrays.copyOfRange(one.prompt, from, to)).toList(), to == p);
    }
    return this;
  }

  /** Goes on by {@code count} tokens a sequence. */
  public void steps(int count) {
    for (int i = 0; i < count; i++) {
      step(running.stream().map(one -> new int[] {one.next}).toList(), true);
    }
  }

  private void step(List<int[]> tokens, boolean choose) {
    List<StepInput> inputs = new ArrayList<>();
    for (int b = 0; b < tokens.size(); b++) {
      Running one = running.get(b);
      inputs.add(
          new StepInput(one.sequence, tokens.get(b), choose ? one.sampler.needs() : Logits.NONE));
    }
    List<StepOutput> outputs = engine.step(inputs);
    for (int b = 0; b < outputs.size(); b++) {
      Running one = running.get(b);
      StepOutput output = outputs.get(b);
      Integer next = null;
      if (choose) {
        one.next = one.sampler.next(output.logits(), output.summary(), one.sequence.length());
        next = one.next;
      }
      observer.accept(b, tokens.get(b), next, output);
    }
    observer.endOfStep();
  }

  /** Gives keys and values back. */
  @Override
  public void close() {
    running.forEach(one -> one.sequence.close());
  }
}
