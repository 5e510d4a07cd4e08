package io.lensflow.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Fetches files of one commit, several at a time, on threads {@code model-download-N}. The first
 * failure ends the others. Used by one thread.
 */
final class SnapshotDownload implements AutoCloseable {
  private static final Duration LONGEST_END = Duration.ofSeconds(30);

  private final HubClient client;
  private final HubSettings settings;
  private final CachedModel cache;
  private final ModelId id;
  private final String commit;
  private final ExecutorService threads;

  SnapshotDownload(
      HubClient client, HubSettings settings, CachedModel cache, ModelId id, String commit) {
    this.client = client;
    this.settings = settings;
    this.cache = cache;
    this.id = id;
    this.commit = commit;
    this.threads = Executors.newFixedThreadPool(settings.transfers().parallel(), daemons());
  }

  private static ThreadFactory daemons() {
    AtomicInteger number = new AtomicInteger();
    return work -> {
      Thread thread = new Thread(work, "model-download-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Fetches some files and returns when all of them are in the snapshot. */
  void fetch(List<String> names, DownloadProgress progress)
      throws IOException, InterruptedException {
    if (names.isEmpty()) {
      return;
    }
    List<Callable<RemoteFile>> questions = new ArrayList<>();
    for (String name : names) {
      questions.add(() -> metadata(name));
    }
    List<RemoteFile> files = all(questions);
    checkRoom(files);
    DownloadMeter meter = new DownloadMeter(id, files, progress);
    List<Callable<RemoteFile>> downloads = new ArrayList<>();
    for (RemoteFile file : files) {
      downloads.add(
          () -> {
            new FileDownload(client, settings, cache, id, commit, file, meter).run();
            return file;
          });
    }
    all(downloads);
  }

  private RemoteFile metadata(String name) throws IOException, InterruptedException {
    HubSettings.Transfers transfers = settings.transfers();
    try {
      return new Retries(transfers.attempts(), transfers.firstWait())
          .run(name + " of " + id, () -> client.metadata(id, commit, name));
    } catch (HubException e) {
      throw e;
    } catch (IOException e) {
      throw new HubException(
          "%s of %s cannot be had from %s: %s; check the network"
              .formatted(name, id, settings.endpoint(), Retries.describe(e)),
          e);
    }
  }

  /** Better said now than after an hour. */
  private void checkRoom(List<RemoteFile> files) throws IOException {
    Path folder = Files.createDirectories(cache.blob("x").getParent());
    double needed = 0; // sizes are the hub's word: their sum must not wrap around
    for (RemoteFile file : files) {
      Path blob = cache.blob(file.etag());
      Path incomplete = cache.incomplete(file.etag());
      if (!Files.exists(blob)) {
        long there = Files.exists(incomplete) ? Files.size(incomplete) : 0;
        needed += Math.max(0, file.size() - there);
      }
    }
    long room = Files.getFileStore(folder).getUsableSpace();
    if (needed > room) {
      throw new HubException(
          "%s needs %s more in %s, where %s are free; make room, or set HF_HOME to another disk"
              .formatted(id, Bytes.text(needed), folder, Bytes.text(room)));
    }
  }

  private <T> List<T> all(List<Callable<T>> tasks) throws IOException, InterruptedException {
    CompletionService<T> running = new ExecutorCompletionService<>(threads);
    tasks.forEach(running::submit);
    List<T> results = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      try {
        results.add(running.take().get());
      } catch (ExecutionException e) {
        if (e.getCause() instanceof IOException cause) {
          throw cause;
        }
        throw new HubException("fetching %s failed: %s".formatted(id, e.getCause()), e.getCause());
      }
    }
    return results;
  }

  /** Interrupts what still runs and waits for it: its locks are free then. */
  @Override
  public void close() {
    threads.shutdownNow();
    boolean interrupted = false;
    long deadline = System.nanoTime() + LONGEST_END.toNanos();
    while (!threads.isTerminated() && System.nanoTime() < deadline) {
      try {
        threads.awaitTermination(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
