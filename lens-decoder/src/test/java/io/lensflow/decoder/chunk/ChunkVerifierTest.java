package io.lensflow.decoder.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.lensflow.decoder.TestChunks;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.ElementType;
import io.lensflow.records.Failure;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ChunkVerifierTest {
  private final ChunkVerifier verifier = new ChunkVerifier(TestChunks.checkpoint(), 100);

  @Test
  void shouldPassASoundChunk() {
    assertThat(verifier.fault(TestChunks.chunk("a", 0, 0, 1))).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("faults")
  void shouldNameFieldWhenChunkIsNotWhatItSays(
      String code, String field, String message, Consumer<ActivationChunk> damage) {
    ActivationChunk chunk = TestChunks.chunk("a", 0, 0, 1);
    damage.accept(chunk);

    Failure failure = verifier.fault(chunk).orElseThrow();

    assertThat(failure.getCode()).isEqualTo(code);
    assertThat(failure.getField()).isEqualTo(field);
    assertThat(failure.getMessage()).contains(message);
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        fault("CHECKPOINT_MISMATCH", "model", "'other'", c -> c.setModel("other")),
        fault("CHECKPOINT_MISMATCH", "revision", "r2", c -> c.setRevision("r2")),
        fault("CHECKPOINT_MISMATCH", "tokenizerHash", "t2", c -> c.setTokenizerHash("t2")),
        fault("INVALID_CHUNK", "requestId", "empty", c -> c.setRequestId("")),
        fault("INVALID_CHUNK", "attemptId", "empty", c -> c.setAttemptId("")),
        fault("INVALID_CHUNK", "sequence", "-1", c -> c.setSequence(-1)),
        fault("INVALID_CHUNK", "hookPoint", "unknown", c -> c.setHookPoint(HookPoint.UNKNOWN)),
        fault("INVALID_CHUNK", "dtype", "unknown", c -> c.setDtype(ElementType.UNKNOWN)),
        fault("INVALID_CHUNK", "layers", "empty", c -> c.setLayers(List.of())),
        fault("INVALID_CHUNK", "layers", "3, not in 0 … 2", c -> c.setLayers(List.of(0, 1, 3))),
        fault("INVALID_CHUNK", "layers", "1 twice", c -> c.setLayers(List.of(0, 1, 1))),
        fault("INVALID_CHUNK", "positions", "empty", c -> c.setPositions(List.of())),
        fault("INVALID_CHUNK", "positions", "-1", c -> c.setPositions(List.of(0, -1))),
        fault("INVALID_CHUNK", "shape", "[3, 2, 4]", c -> c.setShape(List.of(3, 2, 5))),
        fault("INVALID_CHUNK", "payload", "needs 48", c -> c.setDtype(ElementType.BFLOAT16)),
        fault(
            "INVALID_CHUNK",
            "payload",
            "has 8 bytes",
            c -> TestChunks.withPayload(c, ByteBuffer.allocate(8))),
        fault("INVALID_CHUNK", "finalRow", "need 32", c -> c.setFinalRow(ByteBuffer.allocate(16))),
        fault("INVALID_CHUNK", "tokenIds", "1 entries", c -> c.setTokenIds(List.of(0))),
        fault("INVALID_CHUNK", "tokenIds", "4 is not in 0 … 3", c -> c.setTokenIds(List.of(0, 4))),
        fault("INVALID_CHUNK", "nextTokenIds", "1 entries", c -> c.setNextTokenIds(List.of(0))),
        fault(
            "INVALID_CHUNK",
            "nextTokenIds",
            "9 is not in 0 … 3",
            c -> c.setNextTokenIds(List.of(1, 9))),
        fault("INVALID_CHUNK", "modelTopIds", "1 entries", c -> c.setModelTopIds(List.of(0))),
        fault("CHECKSUM_MISMATCH", "crc32c", "damaged", c -> c.setCrc32c(c.getCrc32c() ^ 1)),
        fault(
            "CHECKSUM_MISMATCH", "crc32c", "damaged", c -> c.setFinalRow(ByteBuffer.allocate(32))),
        fault(
            "INVALID_LENS",
            "lenses[0].topK",
            "topK is 0, not in 1 … 4",
            c -> c.setLenses(List.of(TestChunks.lens("logit", 0)))),
        fault(
            "INVALID_LENS",
            "lenses[0].topK",
            "topK is 1000000, not in 1 … 4",
            c -> c.setLenses(List.of(TestChunks.lens("logit", 1_000_000)))),
        fault(
            "NON_FINITE_ROWS",
            "payload",
            "layer 2 at position 0",
            c -> TestChunks.withValue(c, 4, Float.NEGATIVE_INFINITY)),
        fault(
            "NON_FINITE_ROWS",
            "finalRow",
            "position 1",
            c -> TestChunks.withFinalRow(c, 0f, 0f, 0f, 0f, 1f, Float.NaN, 0f, 0f)),
        fault(
            "INVALID_LENS",
            "lenses[0].targetIds",
            "4 is not in 0 … 3",
            c -> c.getLenses().get(0).setTargetIds(List.of(0, 4))),
        fault(
            "INVALID_LENS",
            "lenses[0].targetIds",
            "1001 target ids",
            c -> c.getLenses().get(0).setTargetIds(Collections.nCopies(1001, 0))),
        fault(
            "INVALID_LENS",
            "lenses[0].projections",
            "65 vectors",
            c -> c.getLenses().get(0).setProjections(Collections.nCopies(65, "v@1"))),
        fault(
            "INVALID_LENS",
            "lenses[1].name",
            "twice",
            c -> c.setLenses(List.of(TestChunks.lens("logit", 1), TestChunks.lens("logit", 2)))));
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void shouldFindInfinityInRowsOfHalfPrecision(ElementType dtype) {
    ActivationChunk chunk = TestChunks.chunk("a", 0, 0);
    chunk.setDtype(dtype);
    ByteBuffer payload = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    // The greatest finite value, of either sign, is none.
    payload.putShort(0, (short) (dtype == ElementType.BFLOAT16 ? 0xff7f : 0xfbff));
    TestChunks.withPayload(chunk, payload);
    assertThat(verifier.fault(chunk)).isEmpty();

    payload.putShort(10, (short) (dtype == ElementType.BFLOAT16 ? 0xff80 : 0xfc00));
    TestChunks.withPayload(chunk, payload);
    assertThat(verifier.fault(chunk).orElseThrow().getMessage()).contains("layer 1 at position 0");
  }

  @Test
  void shouldNotMindTopKWhenNoTopTokensAreAskedFor() {
    LensRequest lens = TestChunks.lens("logit", 0);
    lens.setMetrics(List.of(LensMetric.ENTROPY));
    ActivationChunk chunk = TestChunks.chunk("a", 0, 0);
    chunk.setLenses(List.of(lens));

    assertThat(verifier.fault(chunk)).isEmpty();
  }

  private static Arguments fault(
      String code, String field, String message, Consumer<ActivationChunk> damage) {
    return arguments(code, field, message, damage);
  }
}
