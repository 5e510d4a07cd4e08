package io.lensflow.decoder.batch;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Waiting rows, first in, first out within a lane. A batch is ready when a lane has as many rows as
 * the target, or when its oldest row has waited until the deadline; it then takes what is there, up
 * to the target, and splits the last chunk if need be. While the kernel is busy nobody asks for a
 * batch, so under load batches fill up by themselves.
 *
 * <p>Not thread-safe: the loop owns it. Times are nanoseconds on a clock of the caller's.
 */
public final class RowBatcher {
  private final int targetRows;
  private final long deadlineNanos;
  private final Map<Lane, Queue> lanes = new LinkedHashMap<>();

  /**
   * @param targetRows rows of a full batch
   * @param deadline longest wait of a row for others
   */
  public RowBatcher(int targetRows, Duration deadline) {
    this.targetRows = targetRows;
    this.deadlineNanos = deadline.toNanos();
  }

  /** Adds all rows of a chunk that go through the head. */
  public void add(LensWork work, long nowNanos) {
    for (LensWork.Part part : work.parts()) {
      Queue lane = lanes.computeIfAbsent(part.lane(), name -> new Queue());
      lane.waiting.add(new Waiting(work, part, nowNanos));
      lane.rows += part.rows();
    }
  }

  /** The next batch that is ready; of several lanes, the one whose row has waited longest. */
  public Optional<RowBatch> poll(long nowNanos) {
    Map.Entry<Lane, Queue> oldest = null;
    for (Map.Entry<Lane, Queue> lane : lanes.entrySet()) {
      if (isReady(lane.getValue(), nowNanos)
          && (oldest == null || lane.getValue().arrival() - oldest.getValue().arrival() < 0)) {
        oldest = lane;
      }
    }
    return oldest == null
        ? Optional.empty()
        : Optional.of(take(oldest.getKey(), oldest.getValue()));
  }

  /** How long until the oldest row reaches its deadline, at least 0; empty if no row waits. */
  public OptionalLong nanosUntilDue(long nowNanos) {
    OptionalLong age = oldestAge(nowNanos);
    return age.isEmpty() ? age : OptionalLong.of(Math.max(0, deadlineNanos - age.getAsLong()));
  }

  /** How long the oldest row has waited; empty if none waits. */
  public OptionalLong oldestAge(long nowNanos) {
    return lanes.values().stream()
        .filter(lane -> lane.rows > 0)
        .mapToLong(lane -> nowNanos - lane.arrival())
        .max();
  }

  /** Rows that wait, over all lanes. */
  public int waitingRows() {
    return lanes.values().stream().mapToInt(lane -> lane.rows).sum();
  }

  /** Forgets rows that nobody wants any more. To be called when a partition is lost or rewound. */
  public void forgetDropped() {
    for (Queue lane : lanes.values()) {
      lane.waiting.removeIf(waiting -> waiting.work.isDropped());
      lane.rows = lane.waiting.stream().mapToInt(Waiting::rows).sum();
    }
    lanes.values().removeIf(lane -> lane.rows == 0);
  }

  private boolean isReady(Queue lane, long nowNanos) {
    return lane.rows > 0 && (lane.rows >= targetRows || nowNanos - lane.arrival() >= deadlineNanos);
  }

  private RowBatch take(Lane name, Queue lane) {
    long oldest = lane.arrival();
    List<RowSegment> segments = new ArrayList<>();
    int room = targetRows;
    while (room > 0 && lane.rows > 0) {
      Waiting head = lane.waiting.element();
      int count = Math.min(room, head.rows());
      segments.add(new RowSegment(head.work, head.next, count));
      head.next += count;
      lane.rows -= count;
      room -= count;
      if (head.rows() == 0) {
        lane.waiting.remove();
      }
    }
    if (lane.rows == 0) {
      // Requests differ without end; only lanes that are in use may cost memory.
      lanes.remove(name);
    }
    return new RowBatch(name, segments, oldest);
  }

  /** What waits in one lane; {@code rows} is the sum over {@code waiting}. */
  private static final class Queue {
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private int rows;

    long arrival() {
      return waiting.element().arrival;
    }
  }

  /** Rows of a chunk of which some, from {@code next} on, wait. */
  private static final class Waiting {
    private final LensWork work;
    private final long arrival;
    private final int end;
    private int next;

    Waiting(LensWork work, LensWork.Part part, long arrival) {
      this.work = work;
      this.arrival = arrival;
      this.end = part.to();
      this.next = part.from();
    }

    int rows() {
      return end - next;
    }
  }
}
