package io.lensflow.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A blob that is still arriving, {@code ETAG.incomplete}. It hashes what it takes on the way, so
 * that a file of many gigabytes is not read again. Not thread-safe; the blob's lock is held.
 */
final class PartialBlob implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PartialBlob.class);
  private static final int BUFFER_BYTES = 1 << 20;

  private final Path path;
  private final RemoteFile file;
  private final FileChannel channel;
  private final Optional<MessageDigest> digest;
  private long size;

  private PartialBlob(Path path, RemoteFile file, FileChannel channel) {
    this.path = path;
    this.file = file;
    this.channel = channel;
    this.digest = digestFor(file.etag());
    begin();
  }

  /** Opens it, with what an interrupted run left. */
  static PartialBlob open(Path path, RemoteFile file) throws IOException {
    Files.createDirectories(path.getParent());
    FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      PartialBlob partial = new PartialBlob(path, file, channel);
      partial.takeUp();
      return partial;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** An ETag of 64 hex digits is the content's SHA-256, one of 40 the SHA-1 of Git's blob. */
  private static Optional<MessageDigest> digestFor(String etag) {
    if (!etag.matches("[0-9a-f]*")) {
      return Optional.empty();
    }
    try {
      return switch (etag.length()) {
        case 64 -> Optional.of(MessageDigest.getInstance("SHA-256"));
        case 40 -> Optional.of(MessageDigest.getInstance("SHA-1"));
        default -> Optional.empty();
      };
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256 and SHA-1", e);
    }
  }

  private void begin() {
    size = 0;
    digest.ifPresent(
        hash -> {
          hash.reset();
          if (file.etag().length() == 40) {
            hash.update(("blob " + file.size() + "\0").getBytes(StandardCharsets.US_ASCII));
          }
        });
  }

  private void takeUp() throws IOException {
    if (channel.size() > file.size()) {
      startOver();
    }
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    while (channel.read(buffer.clear()) > 0) {
      buffer.flip();
      size += buffer.remaining();
      digest.ifPresent(hash -> hash.update(buffer));
    }
  }

  /** Bytes that are there. */
  long size() {
    return size;
  }

  boolean complete() {
    return size == file.size();
  }

  /** Forgets all bytes. */
  void startOver() throws IOException {
    channel.truncate(0);
    channel.position(0);
    begin();
  }

  /**
   * Takes the next bytes.
   *
   * @throws HubException if they cannot be written, or are more than the file has
   */
  void append(byte[] bytes, int count) throws IOException {
    if (size + count > file.size()) {
      discard();
      throw new HubException(
          "%s is larger than the %d bytes that the hub said; what had come was deleted"
              .formatted(file.name(), file.size()));
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
    try {
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (IOException e) {
      throw new HubException(
          "%s cannot be written: %s; make room there, or set HF_HOME to another disk"
              .formatted(path, e.getMessage()),
          e);
    }
    digest.ifPresent(hash -> hash.update(bytes, 0, count));
    size += count;
  }

  /** The content's hash where it is not the one that the hub said. Ends the hashing. */
  Optional<String> wrongHash() {
    if (digest.isEmpty()) {
      log.warn("the hub gives no checksum for {}; its size alone was checked", file.name());
      return Optional.empty();
    }
    String found = HexFormat.of().formatHex(digest.get().digest());
    return found.equals(file.etag()) ? Optional.empty() : Optional.of(found);
  }

  /** Makes it the blob: from here on others see it. */
  void moveTo(Path blob) throws IOException {
    channel.force(false);
    channel.close();
    Files.move(path, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Deletes it. */
  void discard() throws IOException {
    channel.close();
    Files.deleteIfExists(path);
  }

  /** What has come stays for the next run. */
  @Override
  public void close() throws IOException {
    channel.close();
  }
}
