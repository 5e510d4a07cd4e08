package io.lensflow.decoder.lens;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.Gap;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensResult;
import io.lensflow.records.NormScale;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes {@link LensResult} records from tables of values. One record a chunk and lens, in as many
 * parts as keep each under the record limit. Not thread-safe: the loop owns it, with its texts.
 */
public final class ResultWriter {
  private final TokenTexts texts;
  private final int maxResultBytes;
  private final Clock clock;

  /**
   * @param texts texts of tokens
   * @param maxResultBytes serialised size that no part exceeds, unless a single row does
   * @param clock for {@code producedAt}
   */
  public ResultWriter(TokenTexts texts, int maxResultBytes, Clock clock) {
    this.texts = texts;
    this.maxResultBytes = maxResultBytes;
    this.clock = clock;
  }

  /**
   * The results of one lens on one chunk, in order of {@code part}.
   *
   * @param chunk the chunk, verified
   * @param plan what was asked for
   * @param table its values
   * @param canaryMismatches rows of layer L−1 that disagree with the worker; reported in the part
   *     that holds this layer's first row
   * @param modelLayers L
   */
  public List<LensResult> results(
      ActivationChunk chunk,
      LensPlan plan,
      LensTable table,
      int canaryMismatches,
      int modelLayers) {
    Block whole = new Block(0, chunk.getLayers().size(), 0, chunk.getPositions().size());
    List<Block> blocks = new ArrayList<>();
    split(chunk, plan, table, whole, blocks);
    int lastLayer = chunk.getLayers().indexOf(modelLayers - 1);
    List<LensResult> results = new ArrayList<>(blocks.size());
    for (Block block : blocks) {
      LensResult result = head(chunk, plan.name());
      result.setPart(results.size());
      result.setParts(blocks.size());
      fill(result, chunk, plan, table, block);
      boolean holdsCanary = block.positionFrom == 0 && block.holdsLayerIndex(lastLayer);
      result.setCanaryMismatches(holdsCanary ? canaryMismatches : 0);
      results.add(result);
    }
    return results;
  }

  /**
   * Says that rows of a request cannot be decoded.
   *
   * @param chunk the chunk itself, or the one that showed that others are missing
   * @param lens the lens that was asked for
   * @param sequence the first sequence that is missing
   * @param gap what is missing and why
   */
  public LensResult gap(ActivationChunk chunk, String lens, int sequence, Gap gap) {
    LensResult result = head(chunk, lens);
    result.setSequence(sequence);
    result.setParts(1);
    result.setGap(gap);
    return result;
  }

  /**
   * Says which chunks of a finished request were lost, where none of them is at hand.
   *
   * @param event the end of the attempt
   * @param revision revision of the checkpoint
   * @param lens the lens that was asked for; empty for every lens
   * @param gap what is missing, at least one sequence, and why
   */
  public LensResult gap(CompletionEvent event, String revision, String lens, Gap gap) {
    return LensResult.newBuilder()
        .setRequestId(event.getRequestId())
        .setAttemptId(event.getAttemptId())
        .setAttempt(event.getAttempt())
        .setSequence(gap.getMissingSequences().get(0))
        .setModel(event.getModel())
        .setRevision(revision)
        .setLabels(event.getLabels())
        .setProducedAt(clock.instant().truncatedTo(ChronoUnit.MICROS))
        .setLens(lens)
        .setGap(gap)
        .build();
  }

  private LensResult head(ActivationChunk chunk, String lens) {
    LensResult result = new LensResult();
    result.setRequestId(chunk.getRequestId());
    result.setAttemptId(chunk.getAttemptId());
    result.setAttempt(chunk.getAttempt());
    result.setSequence(chunk.getSequence());
    result.setModel(chunk.getModel());
    result.setRevision(chunk.getRevision());
    result.setLabels(chunk.getLabels());
    result.setProducedAt(clock.instant().truncatedTo(ChronoUnit.MICROS));
    result.setLens(lens);
    result.setHookPoint(chunk.getHookPoint());
    result.setLayers(List.of());
    result.setPositions(List.of());
    result.setTokenIds(List.of());
    result.setTokenTexts(List.of());
    result.setTopIds(List.of());
    result.setTopTexts(List.of());
    result.setTopLogits(List.of());
    result.setTopProbabilities(List.of());
    result.setSteering(chunk.getSteering());
    result.setSteeringFingerprint(chunk.getSteeringFingerprint());
    result.setAccuracy(LensAccuracy.UNKNOWN);
    result.setNormScale(NormScale.OWN);
    return result;
  }

  private void fill(
      LensResult result, ActivationChunk chunk, LensPlan plan, LensTable table, Block block) {
    List<Integer> tokenIds =
        List.copyOf(chunk.getTokenIds().subList(block.positionFrom, block.positionTo));
    result.setLayers(List.copyOf(chunk.getLayers().subList(block.layerFrom, block.layerTo)));
    result.setPositions(
        List.copyOf(chunk.getPositions().subList(block.positionFrom, block.positionTo)));
    result.setTokenIds(tokenIds);
    result.setTokenTexts(tokenIds.stream().map(texts::of).toList());
    result.setTopK(plan.metrics().topK());
    result.setAccuracy(LensAccuracy.valueOf(plan.metrics().path().name()));
    result.setNormScale(plan.normScale());
    ResultArrays arrays = new ResultArrays(texts, plan, table, block.rows());
    int positions = chunk.getPositions().size();
    for (int layer = block.layerFrom; layer < block.layerTo; layer++) {
      for (int position = block.positionFrom; position < block.positionTo; position++) {
        arrays.add(layer * positions + position);
      }
    }
    arrays.writeTo(result);
  }

  /** Halves a block, layers first (they are contiguous), until each piece fits into a record. */
  private void split(
      ActivationChunk chunk, LensPlan plan, LensTable table, Block block, List<Block> fitting) {
    if (block.rows() == 1 || bytes(chunk, plan, table, block) <= maxResultBytes) {
      fitting.add(block);
      return;
    }
    for (Block half : block.halves()) {
      split(chunk, plan, table, half, fitting);
    }
  }

  /** Upper bound of the serialised size. */
  private long bytes(ActivationChunk chunk, LensPlan plan, LensTable table, Block block) {
    long bytes = ResultSize.head(chunk, plan);
    bytes += (long) (block.layerTo - block.layerFrom) * ResultSize.VARINT_BYTES;
    for (int i = block.positionFrom; i < block.positionTo; i++) {
      bytes += 2 * ResultSize.VARINT_BYTES;
      bytes += ResultSize.text(texts.of(chunk.getTokenIds().get(i)));
    }
    int positions = chunk.getPositions().size();
    for (int layer = block.layerFrom; layer < block.layerTo; layer++) {
      for (int position = block.positionFrom; position < block.positionTo; position++) {
        bytes += ResultSize.row(texts, plan, table, layer * positions + position);
      }
    }
    return bytes;
  }

  /** Layers × positions of a chunk, by index; ends are exclusive. */
  private record Block(int layerFrom, int layerTo, int positionFrom, int positionTo) {
    int rows() {
      return (layerTo - layerFrom) * (positionTo - positionFrom);
    }

    boolean holdsLayerIndex(int index) {
      return layerFrom <= index && index < layerTo;
    }

    List<Block> halves() {
      if (layerTo - layerFrom > 1) {
        int middle = (layerFrom + layerTo) >>> 1;
        return List.of(
            new Block(layerFrom, middle, positionFrom, positionTo),
            new Block(middle, layerTo, positionFrom, positionTo));
      }
      int middle = (positionFrom + positionTo) >>> 1;
      return List.of(
          new Block(layerFrom, layerTo, positionFrom, middle),
          new Block(layerFrom, layerTo, middle, positionTo));
    }
  }
}
