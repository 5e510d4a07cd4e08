package io.lensflow.engine.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a safetensors file: tensors are collected with {@link #add}, then written at once.
 *
 * <p>Not thread-safe.
 */
public final class SafetensorsWriter {
  private static final int HEADER_ALIGNMENT = 8;

  private final ObjectMapper json = new ObjectMapper();
  private final ObjectNode header = json.createObjectNode();
  private final List<ByteBuffer> payloads = new ArrayList<>();
  private long end;

  /**
   * Adds a tensor.
   *
   * @param dtype safetensors name, such as {@code F32} or {@code I64}
   * @param payload all elements, little-endian, row-major, in as many parts as is convenient; read
   *     when the file is written
   * @throws IllegalArgumentException if the name is taken
   */
  public void add(String name, String dtype, long[] shape, List<ByteBuffer> payload) {
    if (header.has(name)) {
      throw new IllegalArgumentException("two tensors named " + name);
    }
    ObjectNode entry = header.putObject(name).put("dtype", dtype);
    ArrayNode sizes = entry.putArray("shape");
    for (long size : shape) {
      sizes.add(size);
    }
    long begin = end;
    for (ByteBuffer part : payload) {
      end += part.remaining();
      payloads.add(part.duplicate());
    }
    entry.putArray("data_offsets").add(begin).add(end);
  }

  /** Adds a vector of 64-bit integers. */
  public void add(String name, int[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.putLong(value);
    }
    add(name, "I64", new long[] {values.length}, List.of(bytes.flip()));
  }

  /** Writes the file, over an older one of the same name. */
  public void write(Path file, Map<String, String> metadata) throws IOException {
    ObjectNode root = json.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode node = root.putObject("__metadata__");
      new TreeMap<>(metadata).forEach(node::put);
    }
    root.setAll(header);
    byte[] text = json.writeValueAsBytes(root);
    int padded = (text.length + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    ByteBuffer head =
        ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN).putLong(padded);
    head.put(text);
    while (head.hasRemaining()) {
      head.put((byte) ' ');
    }
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      writeFully(channel, head.flip());
      for (ByteBuffer payload : payloads) {
        writeFully(channel, payload.duplicate());
      }
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
