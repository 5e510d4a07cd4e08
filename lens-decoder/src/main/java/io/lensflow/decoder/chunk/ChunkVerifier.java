package io.lensflow.decoder.chunk;

import io.lensflow.engine.DType;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.ElementType;
import io.lensflow.records.Failure;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.schemas.lens.ServedLenses;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * Finds out whether a chunk is what it says and belongs to this checkpoint, before any of its bytes
 * reaches a kernel. Immutable and thread-safe.
 *
 * <p>The order is from cheap to dear: names, lengths, ranges, the checksum, and the values last.
 */
public final class ChunkVerifier {
  /** The chunk was made by another checkpoint than the one loaded here. */
  public static final String CHECKPOINT_MISMATCH = "CHECKPOINT_MISMATCH";

  /** A field contradicts another one or the checkpoint. */
  public static final String INVALID_CHUNK = "INVALID_CHUNK";

  /** The payload is not the one that was written. */
  public static final String CHECKSUM_MISMATCH = "CHECKSUM_MISMATCH";

  /** A lens asks for what no decoder can give. */
  public static final String INVALID_LENS = "INVALID_LENS";

  /** Rows hold NaN or infinity, or their logits do. */
  public static final String NON_FINITE_ROWS = "NON_FINITE_ROWS";

  private final Checkpoint checkpoint;
  private final int maxTopK;

  /**
   * @param checkpoint what is loaded here
   * @param maxTopK largest k that a request may ask for; V bounds it too
   */
  public ChunkVerifier(Checkpoint checkpoint, int maxTopK) {
    this.checkpoint = checkpoint;
    this.maxTopK = Math.min(maxTopK, checkpoint.config().vocabularySize());
  }

  /** What is wrong with the chunk, naming the field; empty if it can be decoded. */
  public Optional<Failure> fault(ActivationChunk chunk) {
    Failure failure = identity(chunk);
    failure = failure != null ? failure : shape(chunk);
    failure = failure != null ? failure : values(chunk);
    failure = failure != null ? failure : lenses(chunk.getLenses());
    failure = failure != null ? failure : checksum(chunk);
    failure = failure != null ? failure : finite(chunk);
    return Optional.ofNullable(failure);
  }

  private Failure identity(ActivationChunk chunk) {
    if (!chunk.getModel().equals(checkpoint.model())) {
      return mismatch("model", "'" + chunk.getModel() + "'", "'" + checkpoint.model() + "'");
    }
    if (!chunk.getRevision().equals(checkpoint.revision())) {
      return mismatch("revision", chunk.getRevision(), checkpoint.revision());
    }
    if (!chunk.getTokenizerHash().equals(checkpoint.tokenizerHash())) {
      return mismatch("tokenizerHash", chunk.getTokenizerHash(), checkpoint.tokenizerHash());
    }
    if (chunk.getRequestId().isEmpty()) {
      return invalid("requestId", "requestId is empty");
    }
    if (chunk.getAttemptId().isEmpty()) {
      return invalid("attemptId", "attemptId is empty");
    }
    if (chunk.getSequence() < 0) {
      return invalid("sequence", "sequence is %d, below 0".formatted(chunk.getSequence()));
    }
    return null;
  }

  private Failure shape(ActivationChunk chunk) {
    if (chunk.getHookPoint() == HookPoint.UNKNOWN) {
      return invalid("hookPoint", "hookPoint is unknown to this decoder; update the decoder");
    }
    Optional<DType> dtype = dtype(chunk.getDtype());
    if (dtype.isEmpty()) {
      return invalid("dtype", "dtype is unknown to this decoder; update the decoder");
    }
    int layers = chunk.getLayers().size();
    int positions = chunk.getPositions().size();
    int hiddenSize = checkpoint.config().hiddenSize();
    if (layers == 0) {
      return invalid("layers", "layers is empty: a chunk holds at least one row");
    }
    if (positions == 0) {
      return invalid("positions", "positions is empty: a chunk holds at least one row");
    }
    List<Integer> expected = List.of(layers, positions, hiddenSize);
    if (!chunk.getShape().equals(expected)) {
      return invalid(
          "shape",
          "shape is %s, but layers, positions and the model's D make %s"
              .formatted(chunk.getShape(), expected));
    }
    long rowBytes = (long) hiddenSize * dtype.get().bytes();
    if (chunk.getPayload().remaining() != rowBytes * layers * positions) {
      return invalid(
          "payload",
          "payload has %d bytes, but shape %s in %s needs %d"
              .formatted(
                  chunk.getPayload().remaining(),
                  expected,
                  chunk.getDtype(),
                  rowBytes * layers * positions));
    }
    if (chunk.getFinalRow() != null && chunk.getFinalRow().remaining() != rowBytes * positions) {
      return invalid(
          "finalRow",
          "finalRow has %d bytes, but %d positions in %s need %d"
              .formatted(
                  chunk.getFinalRow().remaining(),
                  positions,
                  chunk.getDtype(),
                  rowBytes * positions));
    }
    Failure failure = perPosition("tokenIds", chunk.getTokenIds(), positions, false);
    failure =
        failure != null ? failure : optional("nextTokenIds", chunk.getNextTokenIds(), positions);
    failure =
        failure != null ? failure : optional("modelTopIds", chunk.getModelTopIds(), positions);
    failure =
        failure != null
            ? failure
            : optional("modelTopLogits", chunk.getModelTopLogits(), positions);
    return failure != null
        ? failure
        : optional("modelLogSumExps", chunk.getModelLogSumExps(), positions);
  }

  private static Failure optional(String field, List<?> values, int positions) {
    return perPosition(field, values, positions, true);
  }

  private static Failure perPosition(
      String field, List<?> values, int positions, boolean optional) {
    return values.size() == positions || (optional && values.isEmpty())
        ? null
        : invalid(
            field, "%s has %d entries for %d positions".formatted(field, values.size(), positions));
  }

  private Failure values(ActivationChunk chunk) {
    Failure failure = distinct("layers", chunk.getLayers(), checkpoint.config().layers());
    failure =
        failure != null ? failure : distinct("positions", chunk.getPositions(), Integer.MAX_VALUE);
    if (failure != null) {
      return failure;
    }
    int vocabulary = checkpoint.config().vocabularySize();
    failure = ids("tokenIds", chunk.getTokenIds(), vocabulary);
    return failure != null ? failure : ids("nextTokenIds", chunk.getNextTokenIds(), vocabulary);
  }

  private static Failure ids(String field, List<Integer> ids, int vocabulary) {
    for (Integer id : ids) {
      if (id != null && (id < 0 || id >= vocabulary)) {
        return invalid(field, "token id %d is not in 0 … %d".formatted(id, vocabulary - 1));
      }
    }
    return null;
  }

  private static Failure distinct(String field, List<Integer> values, int limit) {
    Set<Integer> seen = new HashSet<>();
    for (int value : values) {
      if (value < 0 || value >= limit) {
        return invalid(field, "%s holds %d, not in 0 … %d".formatted(field, value, limit - 1));
      }
      if (!seen.add(value)) {
        return invalid(field, "%s holds %d twice".formatted(field, value));
      }
    }
    return null;
  }

  private Failure lenses(List<LensRequest> lenses) {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < lenses.size(); i++) {
      LensRequest lens = lenses.get(i);
      if (!names.add(lens.getName())) {
        return lens(i, "name", "lens '%s' is listed twice".formatted(lens.getName()));
      }
      Failure failure = numbers(i, lens);
      if (failure != null) {
        return failure;
      }
    }
    return null;
  }

  /**
   * Only what costs memory or could fail a batch: what else a chunk asks, admission has checked.
   */
  private Failure numbers(int i, LensRequest lens) {
    boolean wantsTop = lens.getMetrics().contains(LensMetric.TOP_K);
    if (wantsTop && (lens.getTopK() < 1 || lens.getTopK() > maxTopK)) {
      return lens(i, "topK", "topK is %d, not in 1 … %d".formatted(lens.getTopK(), maxTopK));
    }
    int targets = lens.getTargetIds().size();
    if (targets > ServedLenses.MAX_TARGETS) {
      return lens(
          i,
          "targetIds",
          "%d target ids, more than %d".formatted(targets, ServedLenses.MAX_TARGETS));
    }
    int vocabulary = checkpoint.config().vocabularySize();
    for (int id : lens.getTargetIds()) {
      if (id < 0 || id >= vocabulary) {
        return lens(i, "targetIds", "token id %d is not in 0 … %d".formatted(id, vocabulary - 1));
      }
    }
    int vectors = lens.getProjections().size();
    return vectors <= ServedLenses.MAX_PROJECTIONS
        ? null
        : lens(
            i,
            "projections",
            "%d vectors, more than %d".formatted(vectors, ServedLenses.MAX_PROJECTIONS));
  }

  private Failure checksum(ActivationChunk chunk) {
    CRC32C crc = new CRC32C();
    crc.update(chunk.getPayload().duplicate());
    ByteBuffer finalRow = chunk.getFinalRow();
    if (finalRow != null) {
      crc.update(finalRow.duplicate());
    }
    return crc.getValue() == chunk.getCrc32c()
        ? null
        : new Failure(
            CHECKSUM_MISMATCH,
            "crc32c of the payload is %d, but the chunk says %d: it was damaged on its way"
                .formatted(crc.getValue(), chunk.getCrc32c()),
            "crc32c");
  }

  private Failure finite(ActivationChunk chunk) {
    DType dtype = dtype(chunk.getDtype()).orElseThrow();
    int hiddenSize = checkpoint.config().hiddenSize();
    int positions = chunk.getPositions().size();
    int at = FiniteRows.firstBad(chunk.getPayload(), dtype);
    if (at >= 0) {
      int row = at / hiddenSize;
      return new Failure(
          NON_FINITE_ROWS,
          "the row of layer %d at position %d holds NaN or infinity"
              .formatted(
                  chunk.getLayers().get(row / positions),
                  chunk.getPositions().get(row % positions)),
          "payload");
    }
    int last = chunk.getFinalRow() == null ? -1 : FiniteRows.firstBad(chunk.getFinalRow(), dtype);
    return last < 0
        ? null
        : new Failure(
            NON_FINITE_ROWS,
            "the final row at position %d holds NaN or infinity"
                .formatted(chunk.getPositions().get(last / hiddenSize)),
            "finalRow");
  }

  /** The engine's element type; empty if unknown here. */
  public static Optional<DType> dtype(ElementType type) {
    return switch (type) {
      case FLOAT32 -> Optional.of(DType.FLOAT32);
      case FLOAT16 -> Optional.of(DType.FLOAT16);
      case BFLOAT16 -> Optional.of(DType.BFLOAT16);
      case UNKNOWN -> Optional.empty();
    };
  }

  private static Failure mismatch(String field, String theirs, String ours) {
    return new Failure(
        CHECKPOINT_MISMATCH,
        "%s is %s, but this decoder has %s: run worker and decoder on the same checkpoint"
            .formatted(field, theirs, ours),
        field);
  }

  private static Failure invalid(String field, String message) {
    return new Failure(INVALID_CHUNK, message, field);
  }

  private static Failure lens(int index, String field, String message) {
    return new Failure(INVALID_LENS, message, "lenses[%d].%s".formatted(index, field));
  }
}
