package io.lensflow.platform.broker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The broker's hold on its folder: a lock that the operating system lifts when the process ends,
 * however it ends. The lock file names the process that asked for the broker.
 */
final class DataFolder implements AutoCloseable {
  private static final String LOCK = "broker.lock";
  private static final Duration ENDING = Duration.ofSeconds(20);
  private static final long POLL_MILLIS = 50;

  private final FileChannel channel;

  private DataFolder(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the folder for a broker that {@code owner} asked for. If its present holder's owner is
   * dead, the holder is about to end and is waited for.
   *
   * @throws BrokerStartException if another broker runs on the folder
   */
  static DataFolder take(Path folder, long owner) {
    Path file = folder.resolve(LOCK);
    try {
      Files.createDirectories(folder);
      FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      long deadline = System.nanoTime() + ENDING.toNanos();
      while (!lock(channel)) {
        long holder = readOwner(channel);
        if (System.nanoTime() > deadline || isAlive(holder)) {
          channel.close();
          throw new BrokerStartException(
              "The data folder %s is in use by the broker of process %d: stop that, or choose another folder"
                  .formatted(folder, holder));
        }
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      }
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(Long.toString(owner).getBytes(StandardCharsets.US_ASCII)), 0);
      return new DataFolder(channel);
    } catch (IOException e) {
      throw new BrokerStartException(
          "Cannot use the data folder " + folder + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BrokerStartException("Interrupted while waiting for " + folder, e);
    }
  }

  /** Removes a folder and all in it; what is gone already does not matter. */
  static void delete(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot remove " + folder, e);
    }
  }

  /** Gives the folder back. */
  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static boolean lock(FileChannel channel) throws IOException {
    FileLock lock = channel.tryLock();
    return lock != null;
  }

  private static long readOwner(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(20);
    channel.read(text, 0);
    try {
      return Long.parseLong(
          new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII));
    } catch (NumberFormatException justBeingWritten) {
      return 0;
    }
  }

  private static boolean isAlive(long process) {
    return ProcessHandle.of(process).map(ProcessHandle::isAlive).orElse(false);
  }
}
