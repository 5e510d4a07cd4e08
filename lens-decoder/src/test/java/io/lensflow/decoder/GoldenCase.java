package io.lensflow.decoder;

import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.TensorInfo;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One case of a fixture's golden tensors: rows of {@code RESIDUAL_POST} [L, N, D], what the model
 * made of them, and what the lens must say.
 */
final class GoldenCase {
  final int layers;
  final int rows;
  final int hiddenSize;
  final int vocabularySize;
  final int[] tokenIds;
  final float[] residual;
  final float[] logits;
  final long[] topIds;
  final float[] topLogits;
  final float[] topProbabilities;
  final float[] entropy;
  final float[] logSumExp;

  private GoldenCase(SafetensorsFile file, String name) throws IOException {
    List<Long> shape = file.tensor(name + ".residual_post").shape();
    layers = Math.toIntExact(shape.get(0));
    rows = Math.toIntExact(shape.get(1));
    hiddenSize = Math.toIntExact(shape.get(2));
    residual = floats(file, name + ".residual_post");
    logits = floats(file, name + ".logits");
    vocabularySize = logits.length / rows;
    String lens = name + ".lens.residual_post.";
    topIds = longs(file, lens + "top_ids");
    topLogits = floats(file, lens + "top_logits");
    topProbabilities = floats(file, lens + "top_probs");
    entropy = floats(file, lens + "entropy");
    logSumExp = floats(file, lens + "log_sum_exp");
    long[] prompt = longs(file, name + ".prompt_ids");
    long[] greedy = longs(file, name + ".greedy_ids");
    tokenIds =
        IntStream.range(0, rows + 1)
            .map(i -> (int) (i < prompt.length ? prompt[i] : greedy[i - prompt.length]))
            .toArray();
  }

  static GoldenCase read(Path fixture, String name) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(fixture.resolve("golden.safetensors"))) {
      return new GoldenCase(file, name);
    }
  }

  /** A chunk of the positions [from, to), all layers, as a worker in float32 makes it. */
  ActivationChunk chunk(
      String request, int sequence, String revision, String tokenizerHash, int from, int to) {
    ByteBuffer payload =
        ByteBuffer.allocate(layers * (to - from) * hiddenSize * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int layer = 0; layer < layers; layer++) {
      for (int i = (layer * rows + from) * hiddenSize; i < (layer * rows + to) * hiddenSize; i++) {
        payload.putFloat(residual[i]);
      }
    }
    List<Integer> positions = IntStream.range(from, to).boxed().toList();
    ActivationChunk chunk = new ActivationChunk();
    chunk.setRequestId(request);
    chunk.setAttemptId(request + "-attempt");
    chunk.setSequence(sequence);
    chunk.setModel(TestModel.NAME);
    chunk.setRevision(revision);
    chunk.setTokenizerHash(tokenizerHash);
    chunk.setLabels(Map.of());
    chunk.setProducedAt(Instant.EPOCH);
    chunk.setHookPoint(HookPoint.RESIDUAL_POST);
    chunk.setLayers(IntStream.range(0, layers).boxed().toList());
    chunk.setPositions(positions);
    chunk.setTokenIds(positions.stream().map(p -> tokenIds[p]).toList());
    chunk.setNextTokenIds(positions.stream().map(p -> tokenIds[p + 1]).toList());
    chunk.setDtype(ElementType.FLOAT32);
    chunk.setShape(List.of(layers, to - from, hiddenSize));
    List<Integer> ids = new ArrayList<>();
    List<Float> tops = new ArrayList<>();
    List<Float> sums = new ArrayList<>();
    for (int p = from; p < to; p++) {
      HeadSummary head =
          HeadSummary.of(Arrays.copyOfRange(logits, p * vocabularySize, (p + 1) * vocabularySize));
      ids.add(head.topId());
      tops.add(head.topLogit());
      sums.add(head.logSumExp());
    }
    chunk.setModelTopIds(ids);
    chunk.setModelTopLogits(tops);
    chunk.setModelLogSumExps(sums);
    chunk.setSteering(List.of());
    chunk.setSteeringFingerprint("");
    chunk.setLenses(List.of(TestChunks.lens("logit", 5)));
    return TestChunks.withPayload(chunk, payload.flip());
  }

  private static float[] floats(SafetensorsFile file, String name) throws IOException {
    ByteBuffer bytes = bytes(file, name);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  private static long[] longs(SafetensorsFile file, String name) throws IOException {
    ByteBuffer bytes = bytes(file, name);
    long[] values = new long[bytes.remaining() / Long.BYTES];
    bytes.asLongBuffer().get(values);
    return values;
  }

  private static ByteBuffer bytes(SafetensorsFile file, String name) throws IOException {
    TensorInfo tensor = file.tensor(name);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(tensor.byteCount())).order(ByteOrder.LITTLE_ENDIAN);
    file.read(tensor, 0, bytes);
    return bytes.flip();
  }
}
