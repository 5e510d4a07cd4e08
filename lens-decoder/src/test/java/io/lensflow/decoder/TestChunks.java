package io.lensflow.decoder;

import io.lensflow.decoder.batch.WorkPlanner;
import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.chunk.ChunkRows;
import io.lensflow.decoder.lens.LensSource;
import io.lensflow.decoder.vector.VectorProjector;
import io.lensflow.decoder.vector.VectorSource;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensAccuracy;
import io.lensflow.records.LensMetric;
import io.lensflow.records.LensRequest;
import io.lensflow.records.NormScale;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/** Chunks of {@link TestModel}. */
public final class TestChunks {
  private TestChunks() {}

  /** A sound chunk of all layers: the logits of a row are row, row + 1, … mod 4 by token id. */
  public static ActivationChunk chunk(String request, int sequence, int... positions) {
    List<Integer> at = IntStream.of(positions).boxed().toList();
    List<Integer> layers = IntStream.range(0, TestModel.LAYERS).boxed().toList();
    ByteBuffer payload =
        ByteBuffer.allocate(layers.size() * positions.length * TestModel.SIZE * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < layers.size() * positions.length; row++) {
      for (float logit : logits(row)) {
        payload.putFloat(logit);
      }
    }
    ActivationChunk chunk = new ActivationChunk();
    chunk.setRequestId(request);
    chunk.setAttemptId(request + "-attempt");
    chunk.setSequence(sequence);
    chunk.setModel(TestModel.NAME);
    chunk.setRevision(TestModel.REVISION);
    chunk.setTokenizerHash(TestModel.TOKENIZER_HASH);
    chunk.setLabels(Map.of("team", "lens"));
    chunk.setProducedAt(Instant.EPOCH);
    chunk.setHookPoint(HookPoint.RESIDUAL_POST);
    chunk.setLayers(layers);
    chunk.setPositions(at);
    chunk.setTokenIds(at.stream().map(position -> position % TestModel.SIZE).toList());
    chunk.setNextTokenIds(at.stream().map(position -> (position + 1) % TestModel.SIZE).toList());
    chunk.setDtype(ElementType.FLOAT32);
    chunk.setShape(List.of(layers.size(), positions.length, TestModel.SIZE));
    chunk.setModelTopIds(Collections.emptyList());
    chunk.setModelTopLogits(Collections.emptyList());
    chunk.setModelLogSumExps(Collections.emptyList());
    chunk.setSteering(List.of());
    chunk.setSteeringFingerprint("");
    chunk.setLenses(List.of(lens("logit", 2)));
    return withPayload(chunk, payload.flip());
  }

  /** The logits of a row of {@link #chunk}: not alike for any two neighbours. */
  public static float[] logits(int row) {
    float[] logits = new float[TestModel.SIZE];
    for (int id = 0; id < logits.length; id++) {
      logits[id] = (row + id) % TestModel.SIZE + 0.001f * row;
    }
    return logits;
  }

  /** A lens with the metrics that every decoder has. */
  public static LensRequest lens(String name, int topK) {
    return new LensRequest(
        name,
        topK,
        List.of(LensMetric.TOP_K, LensMetric.ENTROPY, LensMetric.LOG_SUM_EXP),
        List.of(),
        LensAccuracy.FAST,
        List.of(),
        NormScale.OWN,
        List.of());
  }

  /** A lens with every metric that needs no vector, and the targets 7 and 8. */
  public static LensRequest everyMetric(String name, int topK) {
    LensRequest lens = lens(name, topK);
    lens.setMetrics(
        List.of(
            LensMetric.TOP_K,
            LensMetric.ENTROPY,
            LensMetric.LOG_SUM_EXP,
            LensMetric.TARGETS,
            LensMetric.KL,
            LensMetric.JS));
    lens.setTargetIds(List.of(7, 8));
    return lens;
  }

  /** Whatever is at L−1 aside, a chunk of one layer and so many positions. */
  public static ChunkRows rows(int count) {
    ActivationChunk chunk = chunk("rows", 0, IntStream.range(0, count).toArray());
    chunk.setLayers(List.of(0));
    chunk.setShape(List.of(1, count, TestModel.SIZE));
    return ChunkRows.of(chunk, TestModel.LAYERS);
  }

  /** What is loaded in a decoder of {@link TestModel}. */
  public static Checkpoint checkpoint() {
    return new Checkpoint(
        TestModel.NAME, TestModel.REVISION, TestModel.TOKENIZER_HASH, TestModel.shape());
  }

  /** A planner with the logit lens and no vectors. */
  public static WorkPlanner planner() {
    return new WorkPlanner(
        checkpoint(),
        io.lensflow.engine.lens.LensAccuracy.FAST,
        LensSource.LOGIT_ONLY,
        new VectorProjector(VectorSource.NONE, TestModel.SIZE));
  }

  /** Sets a payload and its checksum. */
  public static ActivationChunk withPayload(ActivationChunk chunk, ByteBuffer payload) {
    CRC32C crc = new CRC32C();
    crc.update(payload.duplicate());
    chunk.setPayload(payload);
    chunk.setCrc32c(crc.getValue());
    return chunk;
  }

  /** Sets the model's own rows, [positions, D], and mends the checksum. */
  public static ActivationChunk withFinalRow(ActivationChunk chunk, float... values) {
    ByteBuffer rows =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    rows.asFloatBuffer().put(values);
    CRC32C crc = new CRC32C();
    crc.update(chunk.getPayload().duplicate());
    crc.update(rows.duplicate());
    chunk.setFinalRow(rows);
    chunk.setCrc32c(crc.getValue());
    return chunk;
  }

  /** Sets what the worker's own head says of each position: of layer L−1, and right. */
  public static ActivationChunk withModelSummaries(ActivationChunk chunk) {
    List<HeadSummary> heads =
        IntStream.range(0, chunk.getPositions().size())
            .map(i -> (TestModel.LAYERS - 1) * chunk.getPositions().size() + i)
            .mapToObj(row -> HeadSummary.of(logits(row)))
            .toList();
    chunk.setModelTopIds(heads.stream().map(HeadSummary::topId).toList());
    chunk.setModelTopLogits(heads.stream().map(HeadSummary::topLogit).toList());
    chunk.setModelLogSumExps(heads.stream().map(HeadSummary::logSumExp).toList());
    return chunk;
  }

  /** Overwrites one value of a row and mends the checksum. */
  public static ActivationChunk withValue(ActivationChunk chunk, int row, float value) {
    ByteBuffer payload =
        ByteBuffer.allocate(chunk.getPayload().remaining()).order(ByteOrder.LITTLE_ENDIAN);
    payload.put(chunk.getPayload().duplicate()).flip();
    payload.putFloat(row * TestModel.SIZE * Float.BYTES, value);
    return withPayload(chunk, payload);
  }
}
