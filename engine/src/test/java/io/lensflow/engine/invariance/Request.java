package io.lensflow.engine.invariance;

import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.engine.steering.SteeringOperation;
import io.lensflow.text.spec.PositionSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * What one client asks for, and when: all that may decide its rows, and nothing else.
 *
 * @param prompt P token ids
 * @param chunks how the prompt is cut; sums to P
 * @param newTokens G, greedily chosen
 * @param arrival the step at which it comes
 * @param cancelledAfter rows after which the client goes away; P+G−1 for one that stays
 * @param logits what leaves the device of rows that a token is chosen from
 * @param capture rows to set aside
 * @param steering operations in their order
 */
record Request(
    int[] prompt,
    int[] chunks,
    int newTokens,
    int arrival,
    int cancelledAfter,
    Logits logits,
    CapturePlan capture,
    List<Site> steering) {
  private static final int LONGEST_PROMPT = 30;
  private static final int MOST_NEW_TOKENS = 9;
  private static final int LAST_ARRIVAL = 12;
  private static final int MOST_SITES = 4;
  private static final List<String> POSITIONS =
      List.of(
          "all", "all", "prompt", "last_prompt", "from_label", "generated", "1-", "0,-1", "2-5,-2");
  private static final float[] MULTIPLIERS = {0, 0.5f, 1, -1, 2.5f};

  /**
   * One steering operation.
   *
   * @param vectorSeed from which its vector is drawn
   */
  record Site(
      long vectorSeed,
      int layer,
      HookPoint hookPoint,
      SteeringOperation operation,
      float multiplier,
      String positions,
      boolean preserveNorm) {
    /** The vector [D], about half as long as a row of the golden checkpoints. */
    float[] vector(int hiddenSize) {
      Random random = new Random(vectorSeed);
      float[] values = new float[hiddenSize];
      for (int i = 0; i < hiddenSize; i++) {
        values[i] = (float) random.nextGaussian() * 0.5f;
      }
      return values;
    }
  }

  static Request random(Random random, ModelConfig config) {
    int p = 1 + random.nextInt(LONGEST_PROMPT);
    int newTokens = random.nextInt(MOST_NEW_TOKENS);
    int rows = p + Math.max(0, newTokens - 1);
    int mostPerChunk = 1 + random.nextInt(p);
    List<Site> steering = new ArrayList<>();
    for (int i = random.nextInt(MOST_SITES + 1); i > 0 && random.nextInt(3) > 0; i--) {
      steering.add(site(random, config.layers()));
    }
    return new Request(
        random.ints(p, 0, config.vocabularySize()).toArray(),
        chunks(random, p, mostPerChunk),
        newTokens,
        random.nextInt(LAST_ARRIVAL),
        random.nextInt(4) == 0 ? 1 + random.nextInt(rows) : rows,
        pick(random, List.of(Logits.SUMMARY, Logits.LAST, Logits.ALL)),
        plan(random, config.layers()),
        steering);
  }

  /** The same request, whose prompt begins with some tokens of another's. */
  Request beginningLike(Request other, int tokens) {
    int[] begun = prompt.clone();
    System.arraycopy(other.prompt, 0, begun, 0, tokens);
    return new Request(
        begun, chunks, newTokens, arrival, cancelledAfter, logits, capture, steering);
  }

  private static int[] chunks(Random random, int p, int most) {
    List<Integer> chunks = new ArrayList<>();
    for (int left = p; left > 0; left -= chunks.get(chunks.size() - 1)) {
      chunks.add(Math.min(left, 1 + random.nextInt(most)));
    }
    return chunks.stream().mapToInt(Integer::intValue).toArray();
  }

  private static CapturePlan plan(Random random, int layers) {
    Set<HookPoint> points = EnumSet.noneOf(HookPoint.class);
    for (int i = random.nextInt(HookPoint.values().length + 1); i > 0; i--) {
      points.add(pick(random, List.of(HookPoint.values())));
    }
    Set<Integer> chosen = new TreeSet<>();
    for (int i = 0; i < layers; i++) {
      chosen.add(random.nextInt(layers));
    }
    return new CapturePlan(
        List.copyOf(points),
        List.copyOf(chosen),
        PositionSpec.parse(pick(random, POSITIONS)),
        random.nextBoolean());
  }

  private static Site site(Random random, int layers) {
    return new Site(
        random.nextLong(),
        random.nextInt(layers),
        pick(random, List.of(HookPoint.values())),
        pick(random, List.of(SteeringOperation.values())),
        MULTIPLIERS[random.nextInt(MULTIPLIERS.length)],
        pick(random, POSITIONS),
        random.nextBoolean());
  }

  private static <T> T pick(Random random, List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  /** P+G−1, or P where nothing is generated. */
  int rows() {
    return prompt.length + Math.max(0, newTokens - 1);
  }

  /** How many rows have run when it goes: a chunk or a token is never left half done. */
  int rowsRun() {
    int rows = 0;
    for (int chunk : chunks) {
      if (rows < cancelledAfter) {
        rows += chunk;
      }
    }
    return Math.max(rows, cancelledAfter);
  }

  /** The same request, with nobody beside it. */
  Request alone() {
    return new Request(prompt, chunks, newTokens, 0, cancelledAfter, logits, capture, steering);
  }

  /** Tensors [D] that a row of the plan is made of. */
  int capturedPlaces() {
    int places = capture.hookPoints().size() * capture.layers().size();
    return places + (capture.finalRow() ? 1 : 0);
  }

  @Override
  public String toString() {
    return """
        prompt %s
          in chunks %s, then %d tokens; arrives at step %d, goes after %d rows; logits %s
          captures %s
          steered by %s"""
        .formatted(
            Arrays.toString(prompt),
            Arrays.toString(chunks),
            newTokens,
            arrival,
            cancelledAfter,
            logits,
            capture,
            steering);
  }
}
