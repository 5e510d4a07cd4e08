package io.lensflow.decoder.batch;

import io.lensflow.engine.lens.LensMetrics;
import java.util.List;

/**
 * Rows of one lane that go through the head together. Made by {@link RowBatcher}, decoded by {@link
 * KernelThread}, settled by the loop.
 */
public final class RowBatch {
  private final Lane lane;
  private final List<RowSegment> segments;
  private final int rows;
  private final long oldestNanos;

  RowBatch(Lane lane, List<RowSegment> segments, long oldestNanos) {
    this.lane = lane;
    this.segments = List.copyOf(segments);
    this.rows = segments.stream().mapToInt(RowSegment::count).sum();
    this.oldestNanos = oldestNanos;
  }

  /** What all its rows have in common. */
  public Lane lane() {
    return lane;
  }

  List<RowSegment> segments() {
    return segments;
  }

  /** Rows in it. */
  public int rows() {
    return rows;
  }

  /** What is computed: as many top tokens and targets as the greediest of the requests wants. */
  static LensMetrics metrics(Lane lane, List<RowSegment> segments) {
    int topK = segments.stream().mapToInt(s -> s.work().table().k()).max().orElseThrow();
    int targets =
        segments.stream().mapToInt(s -> s.work().table().targetsPerRow()).max().orElseThrow();
    return lane.metrics(Math.min(topK, lane.metrics().topK()), targets);
  }

  /** When its oldest row arrived, on the clock of the batcher. */
  public long oldestNanos() {
    return oldestNanos;
  }

  /** Counts its rows as come back. Called by the loop. */
  public void settle() {
    segments.forEach(segment -> segment.work().settle(segment.count()));
  }
}
