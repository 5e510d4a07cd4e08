package io.lensflow.bench.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Writes checkpoints of random weights: as large and as slow as real ones, and saying nothing. The
 * file is streamed; a few MB of it are in memory at a time.
 *
 * <p>Weights are uniform, of variance 1/columns, so that rows keep their size through a linear
 * layer; what is added to the residual stream is divided by √(2·L) as well, so that the stream's
 * variance after L layers is near 1. Norm weights are 1. The same seed gives the same bytes.
 */
public final class RandomCheckpoint {
  private static final int BUFFER_BYTES = 8 << 20;
  private static final int BFLOAT16_BYTES = 2;
  private static final int HEADER_ALIGNMENT = 8;
  private static final short ONE = (short) (Float.floatToIntBits(1f) >>> 16);

  /** A uniform variable on (−a, a) has variance a²/3. */
  private static final double UNIFORM_VARIANCE = 3;

  private final Shape shape;
  private final long seed;

  public RandomCheckpoint(Shape shape, long seed) {
    this.shape = shape;
    this.seed = seed;
  }

  /**
   * Writes configuration, tokenizer and weights into a folder, which is made if it is not there.
   *
   * @return bytes of the weights
   */
  public long write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), shape.config().toPrettyString());
    Files.writeString(folder.resolve("tokenizer.json"), ByteTokenizer.json(shape.vocabularySize()));
    return writeWeights(folder.resolve("model.safetensors"));
  }

  private long writeWeights(Path file) throws IOException {
    ObjectNode header = new ObjectMapper().createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long end = 0;
    for (Map.Entry<String, long[]> tensor : shape.tensors().entrySet()) {
      ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "BF16");
      long count = 1;
      for (long size : tensor.getValue()) {
        entry.withArray("shape").add(size);
        count *= size;
      }
      entry.putArray("data_offsets").add(end).add(end + count * BFLOAT16_BYTES);
      end += count * BFLOAT16_BYTES;
    }
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      write(channel, head(header.toString()));
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (Map.Entry<String, long[]> tensor : shape.tensors().entrySet()) {
        write(channel, buffer, tensor.getKey(), tensor.getValue());
      }
      write(channel, buffer.flip());
      return channel.size();
    }
  }

  private static ByteBuffer head(String json) {
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    int padded = (text.length + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    ByteBuffer head = ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN);
    head.putLong(padded).put(text);
    while (head.hasRemaining()) {
      head.put((byte) ' ');
    }
    return head.flip();
  }

  /** Fills the buffer with a tensor's elements, and empties it into the file when it is full. */
  private void write(FileChannel channel, ByteBuffer buffer, String name, long[] sizes)
      throws IOException {
    boolean norm = sizes.length == 1;
    long count = norm ? sizes[0] : sizes[0] * sizes[1];
    float scale = norm ? 0 : scale(name, sizes[1]);
    SplittableRandom random = new SplittableRandom(seed ^ ((long) name.hashCode() << Integer.SIZE));
    for (long i = 0; i < count; i++) {
      if (!buffer.hasRemaining()) {
        write(channel, buffer.flip());
        buffer.clear();
      }
      buffer.putShort(norm ? ONE : bfloat16(random.nextInt() * scale));
    }
  }

  /** What an int from all of its range is multiplied by. */
  private float scale(String name, long columns) {
    double variance = 1.0 / columns;
    if (name.endsWith("o_proj.weight") || name.endsWith("down_proj.weight")) {
      variance /= 2.0 * shape.layers();
    }
    return (float) (Math.sqrt(UNIFORM_VARIANCE * variance) / -(double) Integer.MIN_VALUE);
  }

  /** Rounds to nearest, ties to even; for finite values. */
  private static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
