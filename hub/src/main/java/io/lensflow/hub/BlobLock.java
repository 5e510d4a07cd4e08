package io.lensflow.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Held while a blob is made, so that two processes do not fetch the same file: the second waits and
 * then finds it there. It lies where {@code huggingface_hub} has its own lock. On Linux the two do
 * not see each other ({@code fcntl} here, {@code flock} there); that costs bandwidth and no more,
 * since nothing becomes a blob whose hash has not been checked.
 */
final class BlobLock implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BlobLock.class);

  private static final long RECHECK_MILLIS = 100;

  /** A file lock belongs to the process: threads of one exclude each other here. */
  private static final ConcurrentHashMap<Path, ReentrantLock> IN_PROCESS =
      new ConcurrentHashMap<>();

  private final ReentrantLock mutex;
  private final FileChannel channel;

  private BlobLock(ReentrantLock mutex, FileChannel channel) {
    this.mutex = mutex;
    this.channel = channel;
  }

  /** Waits for the lock. */
  static BlobLock acquire(Path file) throws IOException, InterruptedException {
    ReentrantLock mutex =
        IN_PROCESS.computeIfAbsent(file.toAbsolutePath(), path -> new ReentrantLock());
    mutex.lockInterruptibly();
    FileChannel channel = null;
    BlobLock held = null;
    try {
      Files.createDirectories(file.getParent());
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock == null) {
        log.info("another process fetches the same file; waiting for it ({})", file);
      }
      // Not lock(): two processes that hold one file each and wait for the other's are a deadlock
      // to the system, which does not know that different threads do so.
      while (lock == null) {
        Thread.sleep(RECHECK_MILLIS);
        lock = channel.tryLock();
      }
      held = new BlobLock(mutex, channel);
      return held;
    } finally {
      if (held == null) {
        if (channel != null) {
          channel.close();
        }
        mutex.unlock();
      }
    }
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      mutex.unlock();
    }
  }
}
