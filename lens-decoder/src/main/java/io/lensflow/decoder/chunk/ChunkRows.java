package io.lensflow.decoder.chunk;

import io.lensflow.engine.DType;
import io.lensflow.engine.RowConversion;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The N = layers × positions rows of a verified chunk, numbered as they lie in its payload: row =
 * index of its layer × positions + index of its position. Immutable and thread-safe, as long as
 * nobody changes the chunk.
 */
public final class ChunkRows {
  private final ActivationChunk chunk;
  private final DType dtype;
  private final int rowBytes;
  private final ByteBuffer payload;
  private final ByteBuffer finalRows;

  private ChunkRows(ActivationChunk chunk, DType dtype, int modelLayers) {
    this.chunk = chunk;
    this.dtype = dtype;
    this.rowBytes = chunk.getShape().get(2) * dtype.bytes();
    this.payload = chunk.getPayload().slice();
    this.finalRows = finalRows(modelLayers);
  }

  /**
   * Reads a chunk that {@link ChunkVerifier} has passed.
   *
   * @param modelLayers L
   */
  public static ChunkRows of(ActivationChunk chunk, int modelLayers) {
    return new ChunkRows(chunk, ChunkVerifier.dtype(chunk.getDtype()).orElseThrow(), modelLayers);
  }

  /** The chunk. */
  public ActivationChunk chunk() {
    return chunk;
  }

  /** Element type of all rows. */
  public DType dtype() {
    return dtype;
  }

  /** N. */
  public int count() {
    return chunk.getLayers().size() * positions();
  }

  /** How many positions there are. */
  public int positions() {
    return chunk.getPositions().size();
  }

  /** Layer of a row. */
  public int layer(int row) {
    return chunk.getLayers().get(row / positions());
  }

  /** Index of a row's position. */
  public int positionIndex(int row) {
    return row % positions();
  }

  /** The token that came after a position, by its index; −1 if there is none. */
  public int nextTokenId(int positionIndex) {
    List<Integer> next = chunk.getNextTokenIds();
    Integer id = next.isEmpty() ? null : next.get(positionIndex);
    return id == null ? -1 : id;
  }

  /** Bytes of some of the rows, [count, D], little-endian. */
  public ByteBuffer bytes(int from, int count) {
    return payload.slice(from * rowBytes, count * rowBytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Copies a row's D values. */
  public void read(int row, float[] values) {
    ByteBuffer bytes = bytes(row, 1);
    for (int d = 0; d < values.length; d++) {
      values[d] = RowConversion.get(bytes, d * dtype.bytes(), dtype);
    }
  }

  /** Whether the model's own {@code RESIDUAL_POST} of layer L−1 is here for every position. */
  public boolean hasFinalRows() {
    return finalRows != null;
  }

  /** Bytes [D] of the model's own last row at a position, by its index; see {@link #dtype}. */
  public ByteBuffer finalRow(int positionIndex) {
    return finalRows.slice(positionIndex * rowBytes, rowBytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private ByteBuffer finalRows(int modelLayers) {
    int last = chunk.getLayers().indexOf(modelLayers - 1);
    if (chunk.getHookPoint() == HookPoint.RESIDUAL_POST && last >= 0) {
      int bytes = positions() * rowBytes;
      return payload.slice(last * bytes, bytes);
    }
    return chunk.getFinalRow() == null ? null : chunk.getFinalRow().slice();
  }
}
