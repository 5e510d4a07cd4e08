package io.lensflow.decoder.fit;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.decoder.TestChunks;
import io.lensflow.decoder.TestModel;
import io.lensflow.engine.DType;
import io.lensflow.engine.lens.fit.PairedRows;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.HookPoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** {@link TestModel} has layers 0, 1 and 2; the row of layer l at position p starts with 10·l+p. */
class RowPairingTest {
  private static final int ROW_BYTES = TestModel.SIZE * Float.BYTES;

  private final RowPairing pairing = pairing(1 << 20);

  @Test
  void shouldPairRowsWithTheLastLayerOfTheirOwnChunkAndLeaveOutPositionZero() {
    List<PairedRows> pairs = pairing.pair(chunk(List.of(0, 1, 2), 0, 1, 2), DType.FLOAT32);

    assertThat(pairs).hasSize(1);
    PairedRows rows = pairs.get(0);
    assertThat(rows.n()).isEqualTo(2);
    assertThat(rows.rows().keySet()).containsExactly(0, 1);
    assertThat(firsts(rows.rows().get(0))).containsExactly(1, 2);
    assertThat(firsts(rows.rows().get(1))).containsExactly(11, 12);
    assertThat(firsts(rows.finalRows())).containsExactly(21, 22);
  }

  @Test
  void shouldPairRowsWithTheFinalRowsThatTheirChunkCarries() {
    ActivationChunk chunk = chunk(List.of(1), 3, 0);
    chunk.setFinalRow(rows(23, 20));

    List<PairedRows> pairs = pairing.pair(chunk, DType.FLOAT32);

    assertThat(pairs).hasSize(1);
    assertThat(firsts(pairs.get(0).rows().get(1))).containsExactly(13);
    assertThat(firsts(pairs.get(0).finalRows())).containsExactly(23);
  }

  @Test
  void shouldFindTheLastRowInAnotherChunkWhetherBeforeOrAfter() {
    assertThat(pairing.pair(chunk(List.of(0), 4), DType.FLOAT32)).isEmpty();
    assertThat(pairing.unpaired()).isEqualTo(1);

    List<PairedRows> after = pairing.pair(chunk(List.of(2), 4, 5), DType.FLOAT32);
    assertThat(after).hasSize(1);
    assertThat(firsts(after.get(0).rows().get(0))).containsExactly(4);
    assertThat(firsts(after.get(0).finalRows())).containsExactly(24);

    List<PairedRows> before = pairing.pair(chunk(List.of(1), 5, 4, 6), DType.FLOAT32);
    assertThat(before).hasSize(1);
    assertThat(firsts(before.get(0).rows().get(1))).containsExactly(15, 14);
    assertThat(firsts(before.get(0).finalRows())).containsExactly(25, 24);
    assertThat(pairing.unpaired()).as("position 6").isEqualTo(1);
  }

  @Test
  void shouldNotPairRowsOfDifferentAttempts() {
    pairing.pair(chunk(List.of(0), 4), DType.FLOAT32);
    ActivationChunk other = chunk(List.of(2), 4);
    other.setAttemptId("another");

    assertThat(pairing.pair(other, DType.FLOAT32)).isEmpty();
    assertThat(pairing.unpaired()).isEqualTo(1);
  }

  @Test
  void shouldGiveUpTheOldestWhenTooMuchWaits() {
    RowPairing small = pairing(2 * ROW_BYTES);
    small.pair(chunk(List.of(0), 1, 2, 3), DType.FLOAT32);
    assertThat(small.unpaired()).isEqualTo(3);

    List<PairedRows> pairs = small.pair(chunk(List.of(2), 1, 2, 3), DType.FLOAT32);

    assertThat(pairs).extracting(pair -> firsts(pair.rows().get(0))[0]).containsExactly(2f, 3f);
    assertThat(small.unpaired()).isEqualTo(1);
    // Of the last rows, too, only the newest two are kept.
    assertThat(small.pair(chunk(List.of(1), 1), DType.FLOAT32)).isEmpty();
    assertThat(small.pair(chunk(List.of(1), 3), DType.FLOAT32)).hasSize(1);
  }

  @Test
  void shouldTakeOtherHookPointsOnlyForTheirFinalRows() {
    ActivationChunk chunk = chunk(List.of(0), 1);
    chunk.setHookPoint(HookPoint.MLP_OUTPUT);
    assertThat(pairing.concerns(chunk)).isFalse();
    chunk.setFinalRow(rows(21));
    assertThat(pairing.concerns(chunk)).isTrue();
    pairing.pair(chunk, DType.FLOAT32);

    assertThat(pairing.pair(chunk(List.of(0), 1), DType.FLOAT32)).hasSize(1);
  }

  private static RowPairing pairing(long maxBytes) {
    return new RowPairing(
        HookPoint.RESIDUAL_POST, Set.of(0, 1), TestModel.LAYERS, TestModel.SIZE, maxBytes);
  }

  private static ActivationChunk chunk(List<Integer> layers, int... positions) {
    ActivationChunk chunk = TestChunks.chunk("request", 0, positions);
    int[] firsts = new int[layers.size() * positions.length];
    for (int i = 0; i < firsts.length; i++) {
      firsts[i] = 10 * layers.get(i / positions.length) + positions[i % positions.length];
    }
    chunk.setLayers(layers);
    chunk.setShape(List.of(layers.size(), positions.length, TestModel.SIZE));
    return TestChunks.withPayload(chunk, rows(firsts));
  }

  /** Rows that start with these values. */
  private static ByteBuffer rows(int... firsts) {
    ByteBuffer bytes =
        ByteBuffer.allocate(firsts.length * ROW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int first : firsts) {
      bytes.putFloat(first);
      bytes.position(bytes.position() + ROW_BYTES - Float.BYTES);
    }
    return bytes.flip();
  }

  private static float[] firsts(ByteBuffer rows) {
    ByteBuffer bytes = rows.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    float[] firsts = new float[bytes.remaining() / ROW_BYTES];
    for (int i = 0; i < firsts.length; i++) {
      firsts[i] = bytes.getFloat(i * ROW_BYTES);
    }
    return firsts;
  }
}
