package io.lensflow.engine.invariance;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.EngineLoader;
import io.lensflow.engine.EngineOptions;
import io.lensflow.engine.GoldenCheckpoints;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.model.ModelConfig;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * An engine's options and the requests that it serves, drawn from a seed.
 *
 * @param checkpoint a golden checkpoint
 * @param options small enough that blocks are scattered and steps are cut into passes
 */
record RandomCase(long seed, String checkpoint, EngineOptions options, List<Request> requests) {
  private static final int MOST_REQUESTS = 10;

  /** Rows that a deterministic engine always runs together. */
  private static final int GROUP_ROWS = 16;

  /** Draws a case. */
  static RandomCase of(long seed, boolean deterministic) throws IOException {
    // Neighbouring seeds give Java's generator similar first draws.
    Random random = new Random(seed * 0x9E3779B97F4A7C15L);
    String checkpoint = GoldenCheckpoints.NAMES.get(random.nextInt(GoldenCheckpoints.NAMES.size()));
    ModelConfig config;
    try (Checkpoint opened = Checkpoint.open(GoldenCheckpoints.folder(checkpoint))) {
      config = opened.config().model();
    }
    List<Request> requests =
        Stream.generate(() -> Request.random(random, config))
            .limit(2 + random.nextInt(MOST_REQUESTS - 1))
            .collect(Collectors.toList());
    for (int i = 1; i < requests.size(); i++) {
      Request other = requests.get(random.nextInt(i));
      int most = Math.min(other.prompt().length, requests.get(i).prompt().length);
      requests.set(i, requests.get(i).beginningLike(other, random.nextInt(most + 1)));
    }
    int longest = requests.stream().mapToInt(Request::rows).max().orElseThrow();
    int all = requests.stream().mapToInt(Request::rows).sum();
    boolean half = deterministic && random.nextBoolean();
    EngineOptions options =
        EngineOptions.defaults()
            .withDType(half ? DType.BFLOAT16 : DType.FLOAT32)
            .withThreads(1 + random.nextInt(2))
            .withRanks(ranks(random, config))
            .withKvTokens(Math.max(longest, all / 3 + random.nextInt(all / 2 + 1)))
            .withDeterministic(deterministic);
    if (random.nextBoolean()) {
      int places = requests.stream().mapToInt(Request::capturedPlaces).max().orElseThrow();
      long least = (long) Math.max(1, places) * config.hiddenSize() * options.dtype().bytes();
      options =
          options.withStagingBytes(
              least * (deterministic ? GROUP_ROWS : 1) + random.nextLong(8 * least));
    }
    return new RandomCase(seed, checkpoint, options, requests);
  }

  private static int ranks(Random random, ModelConfig config) {
    int heads = config.heads();
    int groups = config.keyValueHeads();
    int[] possible =
        IntStream.rangeClosed(1, 4)
            .filter(r -> heads % r == 0 && (groups % r == 0 || r % groups == 0))
            .toArray();
    return possible[random.nextInt(possible.length)];
  }

  Engine load() throws IOException {
    return EngineLoader.load(GoldenCheckpoints.folder(checkpoint), options);
  }

  /** All that is needed to see what went wrong with a request. */
  String describe(int request) {
    return "request %d of %s".formatted(request, this);
  }

  @Override
  public String toString() {
    StringBuilder text =
        new StringBuilder("seed %d: %s with %s".formatted(seed, checkpoint, options));
    for (int i = 0; i < requests.size(); i++) {
      text.append("%n%d: %s".formatted(i, requests.get(i)));
    }
    return text.toString();
  }
}
