package io.lensflow.engine.model;

/**
 * Which part of a model one of R tensor-parallel ranks holds: query heads with their key/value
 * heads, MLP columns, rows of embedding and head, columns of captured rows. Immutable.
 *
 * <p>Query, key, value, gate and up projections are split by their outputs, output and down
 * projections by their inputs, so that a block needs two all-reduces (Shoeybi et al.,
 * <i>Megatron-LM</i>, 2019). Where K &lt; R, ranks hold copies of a key/value head.
 *
 * @param rank 0 … R−1
 * @param ranks R
 */
public record Shard(int rank, int ranks) {
  /** Embedding and head are split at multiples of this, which kernels like. */
  static final int VOCABULARY_BLOCK = 64;

  /**
   * A run of indices.
   *
   * @param first its first
   * @param count how many
   */
  public record Range(int first, int count) {}

  /**
   * Checks that a model can be split.
   *
   * @throws IllegalArgumentException if its head counts do not allow R ranks; says which R do
   */
  static void check(ModelConfig config, int ranks) {
    if (!allows(config, ranks)) {
      StringBuilder allowed = new StringBuilder("1");
      for (int r = 2; r <= config.heads(); r++) {
        if (allows(config, r)) {
          allowed.append(", ").append(r);
        }
      }
      throw new IllegalArgumentException(
          "%d tensor-parallel ranks cannot share %d query and %d key/value heads evenly; possible are %s"
              .formatted(ranks, config.heads(), config.keyValueHeads(), allowed));
    }
  }

  private static boolean allows(ModelConfig config, int ranks) {
    return ranks >= 1
        && ranks <= config.mlpSize()
        && ranks <= config.hiddenSize()
        && config.heads() % ranks == 0
        && (config.keyValueHeads() % ranks == 0 || ranks % config.keyValueHeads() == 0);
  }

  /** Query heads. */
  Range heads(ModelConfig config) {
    return even(config.heads());
  }

  /** Key/value heads: K/R of them, or the one that this rank's query heads share. */
  Range keyValueHeads(ModelConfig config) {
    int k = config.keyValueHeads();
    return ranks <= k ? even(k) : new Range(rank * k / ranks, 1);
  }

  /** Columns of the MLP; their number may differ by one between ranks. */
  Range mlp(ModelConfig config) {
    return even(config.mlpSize());
  }

  /** Columns of every captured row; their number may differ by one between ranks. */
  Range columns(ModelConfig config) {
    return even(config.hiddenSize());
  }

  /** Ids of the vocabulary; none for a high rank of a tiny one. */
  public Range vocabulary(ModelConfig config) {
    int v = config.vocabularySize();
    int blocks = (v + VOCABULARY_BLOCK - 1) / VOCABULARY_BLOCK;
    int size = (blocks + ranks - 1) / ranks * VOCABULARY_BLOCK;
    int first = Math.min(v, rank * size);
    return new Range(first, Math.min(v, first + size) - first);
  }

  /** Whether this rank adds what must be added once, such as the bias of a summed projection. */
  boolean first() {
    return rank == 0;
  }

  private Range even(int size) {
    int first = (int) ((long) size * rank / ranks);
    int next = (int) ((long) size * (rank + 1) / ranks);
    return new Range(first, next - first);
  }
}
