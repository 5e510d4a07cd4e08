package io.lensflow.decoder.batch;

import io.lensflow.decoder.chunk.ChunkRows;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensMetrics;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * The memory in which rows of many chunks come together: twice a full batch of float32 rows,
 * allocated once. Not thread-safe: the kernel thread owns it, and each {@link LensBatch} counts
 * only until the next is gathered.
 */
final class BatchBuffers {
  private final ByteBuffer rows;
  private final ByteBuffer finalRows;

  /**
   * @param targetRows most rows of a batch
   * @param hiddenSize D
   */
  BatchBuffers(int targetRows, int hiddenSize) {
    int bytes =
        Math.multiplyExact(targetRows, Math.multiplyExact(hiddenSize, DType.FLOAT32.bytes()));
    rows = ByteBuffer.allocateDirect(bytes);
    finalRows = ByteBuffer.allocateDirect(bytes);
  }

  /** Gathers what the metrics need of the segments' rows. */
  LensBatch gather(Lane lane, List<RowSegment> segments, LensMetrics metrics) {
    int n = segments.stream().mapToInt(RowSegment::count).sum();
    rows.clear();
    int[] layers = new int[n];
    int at = 0;
    for (RowSegment segment : segments) {
      ChunkRows chunk = segment.work().rows();
      rows.put(chunk.bytes(segment.from(), segment.count()));
      for (int i = 0; i < segment.count(); i++) {
        layers[at++] = chunk.layer(segment.from() + i);
      }
    }
    LensBatch batch = LensBatch.of(gathered(rows), lane.dtype(), n).withLayers(layers);
    if (metrics.targetsPerRow() > 0) {
      batch = batch.withTargets(targets(segments, n, metrics.targetsPerRow()));
    }
    if (metrics.needsModel() || lane.frozenNorm()) {
      int[] finalRowOf = gatherFinalRows(segments, n);
      batch = batch.withFinalRows(gathered(finalRows), finalRowOf);
    }
    return lane.frozenNorm() ? batch.withFrozenNorm() : batch;
  }

  private static int[] targets(List<RowSegment> segments, int n, int targetsPerRow) {
    int[] targets = new int[n * targetsPerRow];
    int at = 0;
    for (RowSegment segment : segments) {
      for (int i = 0; i < segment.count(); i++, at += targetsPerRow) {
        segment.work().targets(segment.from() + i, targets, at, targetsPerRow);
      }
    }
    return targets;
  }

  /** Each position's final row once, however many layers of it are in the batch. */
  private int[] gatherFinalRows(List<RowSegment> segments, int n) {
    finalRows.clear();
    int[] finalRowOf = new int[n];
    int at = 0;
    int held = 0;
    for (RowSegment segment : segments) {
      ChunkRows chunk = segment.work().rows();
      int[] heldAt = new int[chunk.positions()];
      Arrays.fill(heldAt, -1);
      for (int i = 0; i < segment.count(); i++) {
        int position = chunk.positionIndex(segment.from() + i);
        if (heldAt[position] < 0) {
          finalRows.put(chunk.finalRow(position));
          heldAt[position] = held++;
        }
        finalRowOf[at++] = heldAt[position];
      }
    }
    return finalRowOf;
  }

  private static ByteBuffer gathered(ByteBuffer buffer) {
    return buffer.flip().slice().order(ByteOrder.LITTLE_ENDIAN);
  }
}
