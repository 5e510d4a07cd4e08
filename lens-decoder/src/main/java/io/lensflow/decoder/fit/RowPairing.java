package io.lensflow.decoder.fit;

import io.lensflow.engine.DType;
import io.lensflow.engine.lens.fit.PairedRows;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Brings rows together with the model's last row at their position: from the chunk itself, as its
 * last layer or its {@code finalRow}, or from another chunk of the same attempt, before or after.
 * Position 0 is left out: it is an attention sink with a norm many times the others', and would
 * rule the sums.
 *
 * <p>Memory is bounded: of what waits for its counterpart the oldest is given up, and counted. Not
 * thread-safe.
 */
final class RowPairing {
  private final HookPoint hookPoint;
  private final Set<Integer> layers;
  private final int lastLayer;
  private final int hiddenSize;
  private final long maxBytes;
  private final Map<Place, List<Waiting>> waiting = new LinkedHashMap<>();
  private final Map<Place, ByteBuffer> finalRows = new LinkedHashMap<>();
  private long waitingBytes;
  private long finalBytes;
  private long unpaired;

  private record Place(String attemptId, int position) {}

  /** Rows [1, D] by layer. */
  private record Waiting(DType dtype, SortedMap<Integer, ByteBuffer> rows) {
    long bytes() {
      return rows.values().stream().mapToLong(ByteBuffer::remaining).sum();
    }
  }

  /**
   * @param hookPoint whose rows are wanted
   * @param layers of which layers
   * @param modelLayers L
   * @param hiddenSize D
   * @param maxBytes most bytes of rows that wait, and of last rows that are kept for others
   */
  RowPairing(
      HookPoint hookPoint, Set<Integer> layers, int modelLayers, int hiddenSize, long maxBytes) {
    this.hookPoint = hookPoint;
    this.layers = Set.copyOf(layers);
    this.lastLayer = modelLayers - 1;
    this.hiddenSize = hiddenSize;
    this.maxBytes = maxBytes;
  }

  /** Whether a chunk has anything to give: wanted rows, or last rows. */
  boolean concerns(ActivationChunk chunk) {
    return wants(chunk) || finalIndex(chunk) >= 0 || chunk.getFinalRow() != null;
  }

  private boolean wants(ActivationChunk chunk) {
    return chunk.getHookPoint() == hookPoint
        && chunk.getLayers().stream().anyMatch(layers::contains);
  }

  /** Where the chunk holds the model's last layer; −1 if it does not. */
  private int finalIndex(ActivationChunk chunk) {
    return chunk.getHookPoint() == HookPoint.RESIDUAL_POST
        ? chunk.getLayers().indexOf(lastLayer)
        : -1;
  }

  /**
   * Takes in a chunk that was verified.
   *
   * @param dtype of its payload
   * @return what it completes, in buffers of their own
   */
  List<PairedRows> pair(ActivationChunk chunk, DType dtype) {
    List<PairedRows> pairs = new ArrayList<>();
    ByteBuffer finals = finals(chunk, dtype);
    if (finals != null) {
      resolveWaiting(chunk, dtype, finals, pairs);
    }
    if (!wants(chunk)) {
      return pairs;
    }
    int size = hiddenSize * dtype.bytes();
    List<Integer> indexes = new ArrayList<>();
    List<ByteBuffer> targets = new ArrayList<>();
    for (int i = 0; i < chunk.getPositions().size(); i++) {
      if (chunk.getPositions().get(i) == 0) {
        continue;
      }
      Place place = new Place(chunk.getAttemptId(), chunk.getPositions().get(i));
      ByteBuffer target = finals != null ? slice(finals, i, size) : finalRows.get(place);
      if (target != null) {
        indexes.add(i);
        targets.add(target);
      } else {
        await(place, new Waiting(dtype, rows(chunk, List.of(i), size)));
      }
    }
    if (!indexes.isEmpty()) {
      pairs.add(
          new PairedRows(dtype, indexes.size(), rows(chunk, indexes, size), joined(targets, size)));
    }
    return pairs;
  }

  /** Last rows [positions, D] that the chunk itself holds; null if it holds none. */
  private ByteBuffer finals(ActivationChunk chunk, DType dtype) {
    int index = finalIndex(chunk);
    int bytes = chunk.getPositions().size() * hiddenSize * dtype.bytes();
    return index >= 0 ? slice(chunk.getPayload(), index, bytes) : chunk.getFinalRow();
  }

  private void resolveWaiting(
      ActivationChunk chunk, DType dtype, ByteBuffer finals, List<PairedRows> pairs) {
    boolean othersMayNeedThem = !wants(chunk) || !chunk.getLayers().containsAll(layers);
    int size = hiddenSize * dtype.bytes();
    for (int i = 0; i < chunk.getPositions().size(); i++) {
      int position = chunk.getPositions().get(i);
      Place place = new Place(chunk.getAttemptId(), position);
      ByteBuffer target = joined(List.of(slice(finals, i, size)), size);
      List<Waiting> resolved = waiting.remove(place);
      for (Waiting one : resolved == null ? List.<Waiting>of() : resolved) {
        waitingBytes -= one.bytes();
        pairs.add(new PairedRows(one.dtype(), 1, one.rows(), target));
      }
      if (othersMayNeedThem && position != 0 && finalRows.put(place, target) == null) {
        finalBytes += size;
      }
    }
    Iterator<ByteBuffer> oldest = finalRows.values().iterator();
    while (finalBytes > maxBytes) {
      finalBytes -= oldest.next().remaining();
      oldest.remove();
    }
  }

  private void await(Place place, Waiting row) {
    waiting.computeIfAbsent(place, key -> new ArrayList<>()).add(row);
    waitingBytes += row.bytes();
    Iterator<List<Waiting>> oldest = waiting.values().iterator();
    while (waitingBytes > maxBytes) {
      giveUp(oldest.next());
      oldest.remove();
    }
  }

  private void giveUp(List<Waiting> rows) {
    for (Waiting one : rows) {
      waitingBytes -= one.bytes();
      unpaired += one.rows().size();
    }
  }

  /** Rows, over all layers, whose last row never came: those given up and those that wait. */
  long unpaired() {
    return unpaired
        + waiting.values().stream().flatMap(List::stream).mapToLong(one -> one.rows().size()).sum();
  }

  private SortedMap<Integer, ByteBuffer> rows(
      ActivationChunk chunk, List<Integer> indexes, int size) {
    SortedMap<Integer, ByteBuffer> rows = new TreeMap<>();
    int positions = chunk.getPositions().size();
    for (int l = 0; l < chunk.getLayers().size(); l++) {
      int layer = chunk.getLayers().get(l);
      if (layers.contains(layer)) {
        int first = l * positions;
        List<ByteBuffer> parts =
            indexes.stream().map(i -> slice(chunk.getPayload(), first + i, size)).toList();
        rows.put(layer, joined(parts, size));
      }
    }
    return rows;
  }

  private static ByteBuffer slice(ByteBuffer from, int index, int size) {
    return from.slice(from.position() + index * size, size);
  }

  private static ByteBuffer joined(List<ByteBuffer> parts, int size) {
    ByteBuffer joined = ByteBuffer.allocate(parts.size() * size).order(ByteOrder.LITTLE_ENDIAN);
    parts.forEach(part -> joined.put(part.duplicate()));
    return joined.flip();
  }
}
