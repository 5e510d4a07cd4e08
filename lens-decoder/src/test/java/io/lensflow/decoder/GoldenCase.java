package io.lensflow.decoder;

import io.lensflow.engine.checkpoint.SafetensorsFile;
import io.lensflow.engine.checkpoint.TensorInfo;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.ElementType;
import io.lensflow.records.HookPoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;

/**
 * One case of a fixture's golden tensors at one hook point: rows [L, N, D], and chunks of them as a
 * worker in float32 makes them.
 */
final class GoldenCase {
  final int layers;
  final int rows;
  final int hiddenSize;

  /** What the lens must say; null where the fixture says nothing of this hook point. */
  final GoldenMetrics lens;

  private final HookPoint hookPoint;
  private final GoldenMetrics model;
  private final int[] tokenIds;
  private final float[] values;
  final float[] residual;

  private GoldenCase(
      SafetensorsFile file,
      String name,
      HookPoint hookPoint,
      int hiddenSize,
      float[] values,
      float[] residual)
      throws IOException {
    this.hookPoint = hookPoint;
    this.hiddenSize = hiddenSize;
    this.values = values;
    this.residual = residual;
    model = new GoldenMetrics(file, name, HookPoint.RESIDUAL_POST);
    lens =
        GoldenMetrics.isIn(file, name, hookPoint) ? new GoldenMetrics(file, name, hookPoint) : null;
    layers = model.layers;
    rows = model.rows;
    long[] prompt = longs(file, name + ".prompt_ids");
    long[] greedy = longs(file, name + ".greedy_ids");
    tokenIds =
        IntStream.range(0, rows + 1)
            .map(i -> (int) (i < prompt.length ? prompt[i] : greedy[i - prompt.length]))
            .toArray();
  }

  /** A case of a fixture that holds all its rows. */
  static GoldenCase read(Path fixture, String name) throws IOException {
    return read(fixture, name, HookPoint.RESIDUAL_POST);
  }

  /** The same at another hook point. */
  static GoldenCase read(Path fixture, String name, HookPoint hookPoint) throws IOException {
    try (SafetensorsFile file = open(fixture)) {
      String tensor = name + "." + hookPoint.name().toLowerCase(Locale.ROOT);
      List<Long> shape = file.tensor(tensor).shape();
      return new GoldenCase(
          file,
          name,
          hookPoint,
          Math.toIntExact(shape.get(2)),
          floats(file, tensor),
          floats(file, name + ".residual_post"));
    }
  }

  /**
   * A case whose rows somebody else computes.
   *
   * @param residual {@code RESIDUAL_POST} [L, N, D]
   */
  static GoldenCase of(Path fixture, String name, int hiddenSize, float[] residual)
      throws IOException {
    try (SafetensorsFile file = open(fixture)) {
      return new GoldenCase(file, name, HookPoint.RESIDUAL_POST, hiddenSize, residual, residual);
    }
  }

  /** The tokens that a fixture's case consumes: all but the last generated one. */
  static int[] consumed(Path fixture, String name) throws IOException {
    try (SafetensorsFile file = open(fixture)) {
      long[] generated = longs(file, name + ".greedy_ids");
      return IntStream.concat(
              IntStream.of(ints(longs(file, name + ".prompt_ids"))),
              IntStream.of(ints(generated)).limit(generated.length - 1L))
          .toArray();
    }
  }

  private static int[] ints(long[] values) {
    return IntStream.range(0, values.length).map(i -> (int) values[i]).toArray();
  }

  private static SafetensorsFile open(Path fixture) throws IOException {
    return SafetensorsFile.open(fixture.resolve("golden.safetensors"));
  }

  /** A chunk of the positions [from, to), all layers, as a worker in float32 makes it. */
  ActivationChunk chunk(
      String request, int sequence, String revision, String tokenizerHash, int from, int to) {
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
    chunk.setHookPoint(hookPoint);
    chunk.setLayers(IntStream.range(0, layers).boxed().toList());
    chunk.setPositions(positions);
    chunk.setTokenIds(positions.stream().map(p -> tokenIds[p]).toList());
    chunk.setNextTokenIds(positions.stream().map(p -> tokenIds[p + 1]).toList());
    chunk.setDtype(ElementType.FLOAT32);
    chunk.setShape(List.of(layers, to - from, hiddenSize));
    int last = (layers - 1) * rows;
    chunk.setModelTopIds(positions.stream().map(p -> (int) model.topIds[(last + p) * 5]).toList());
    chunk.setModelTopLogits(positions.stream().map(p -> model.topLogits[(last + p) * 5]).toList());
    chunk.setModelLogSumExps(positions.stream().map(p -> model.logSumExp[last + p]).toList());
    chunk.setSteering(List.of());
    chunk.setSteeringFingerprint("");
    chunk.setLenses(List.of(TestChunks.lens("logit", 5)));
    return withRows(chunk, from, to);
  }

  /** The D values of a row. */
  float[] row(int layer, int position) {
    int from = (layer * rows + position) * hiddenSize;
    return Arrays.copyOfRange(values, from, from + hiddenSize);
  }

  private ActivationChunk withRows(ActivationChunk chunk, int from, int to) {
    ByteBuffer payload = floats(layers * (to - from) * hiddenSize);
    for (int layer = 0; layer < layers; layer++) {
      put(payload, values, layer * rows + from, to - from);
    }
    CRC32C crc = new CRC32C();
    crc.update(payload.flip().duplicate());
    chunk.setPayload(payload);
    if (hookPoint != HookPoint.RESIDUAL_POST) {
      ByteBuffer finalRow = floats((to - from) * hiddenSize);
      put(finalRow, residual, (layers - 1) * rows + from, to - from);
      crc.update(finalRow.flip().duplicate());
      chunk.setFinalRow(finalRow);
    }
    chunk.setCrc32c(crc.getValue());
    return chunk;
  }

  private static ByteBuffer floats(int count) {
    return ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void put(ByteBuffer into, float[] source, int row, int count) {
    for (int i = row * hiddenSize; i < (row + count) * hiddenSize; i++) {
      into.putFloat(source[i]);
    }
  }

  static float[] floats(SafetensorsFile file, String name) throws IOException {
    ByteBuffer bytes = bytes(file, name);
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  static long[] longs(SafetensorsFile file, String name) throws IOException {
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
