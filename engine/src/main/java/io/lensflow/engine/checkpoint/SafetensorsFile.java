package io.lensflow.engine.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Map;

/**
 * A safetensors file, open for reading: 8 bytes of header length, a JSON header, then the tensors'
 * bytes. The header is checked when the file is opened; tensors are read straight into the caller's
 * memory.
 *
 * <p>Thread-safe: reads are positional.
 */
public final class SafetensorsFile implements AutoCloseable {
  /** The format's own limit; a longer header is an attack or an accident. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private final Path path;
  private final FileChannel channel;
  private final byte[] headerBytes;
  private final SafetensorsHeader.Content header;

  private SafetensorsFile(
      Path path, FileChannel channel, byte[] headerBytes, SafetensorsHeader.Content header) {
    this.path = path;
    this.channel = channel;
    this.headerBytes = headerBytes;
    this.header = header;
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws CheckpointException if the file is missing or its header lies; names file and tensor
   */
  public static SafetensorsFile open(Path path) throws IOException {
    FileChannel channel;
    try {
      // A pipe or device would block or never end.
      if (Files.exists(path) && !Files.isRegularFile(path)) {
        throw new CheckpointException(path.toAbsolutePath() + ": not a regular file");
      }
      channel = FileChannel.open(path, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      throw new CheckpointException(path.toAbsolutePath() + ": no such file", e);
    } catch (AccessDeniedException e) {
      // Some writers of safetensors keep files from everyone but their owner.
      throw new CheckpointException(
          path.toAbsolutePath() + ": permission denied; let the user who runs this read it", e);
    } catch (FileSystemException e) {
      throw JsonFile.unreadable(path, e);
    }
    try {
      byte[] headerBytes = readHeader(path, channel);
      long dataBytes = channel.size() - Long.BYTES - headerBytes.length;
      return new SafetensorsFile(
          path, channel, headerBytes, SafetensorsHeader.parse(path, headerBytes, dataBytes));
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static byte[] readHeader(Path path, FileChannel channel) throws IOException {
    if (channel.size() < Long.BYTES) {
      throw new CheckpointException(
          path.toAbsolutePath() + ": too short for a safetensors file: " + channel.size());
    }
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    readFully(path, channel, length, 0);
    long headerLength = length.flip().getLong();
    if (headerLength < 2
        || headerLength > MAX_HEADER_BYTES
        || headerLength > channel.size() - Long.BYTES) {
      throw new CheckpointException(
          "%s: claims a header of %s bytes in a file of %d; not a safetensors file, or cut"
              .formatted(
                  path.toAbsolutePath(), Long.toUnsignedString(headerLength), channel.size()));
    }
    byte[] header = new byte[(int) headerLength];
    readFully(path, channel, ByteBuffer.wrap(header), Long.BYTES);
    return header;
  }

  /** Where the file lies. */
  public Path path() {
    return path;
  }

  /** The header's JSON as it stands in the file. */
  public byte[] headerBytes() {
    return headerBytes.clone();
  }

  /** Every tensor, in the order of their bytes. */
  public Collection<TensorInfo> tensors() {
    return header.tensors().values();
  }

  /** Free-form strings that the file's writer left. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /** Whether the file has a tensor of this name. */
  public boolean has(String name) {
    return header.tensors().containsKey(name);
  }

  /**
   * A tensor's description.
   *
   * @throws CheckpointException if the file has no such tensor
   */
  public TensorInfo tensor(String name) throws CheckpointException {
    TensorInfo info = header.tensors().get(name);
    if (info == null) {
      throw new CheckpointException(
          "%s: no tensor %s; it has %d others"
              .formatted(path.toAbsolutePath(), name, header.tensors().size()));
    }
    return info;
  }

  /** Fills {@code target} with a tensor's bytes, from its byte {@code offset} on. */
  public void read(TensorInfo tensor, long offset, ByteBuffer target) throws IOException {
    if (offset < 0 || offset + target.remaining() > tensor.byteCount()) {
      throw new IllegalArgumentException(
          "%d bytes from %d of %s, which has %d"
              .formatted(target.remaining(), offset, tensor.name(), tensor.byteCount()));
    }
    readFully(path, channel, target, Long.BYTES + headerBytes.length + tensor.begin() + offset);
  }

  private static void readFully(Path path, FileChannel channel, ByteBuffer target, long position)
      throws IOException {
    long at = position;
    while (target.hasRemaining()) {
      int count = channel.read(target, at);
      if (count < 0) {
        throw new CheckpointException(path.toAbsolutePath() + ": cut off at byte " + at);
      }
      at += count;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
