package io.lensflow.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one file of a commit into the cache: goes on where an earlier run stopped, checks the hash
 * and only then makes it a blob. Run by one thread.
 */
final class FileDownload {
  private static final Logger log = LoggerFactory.getLogger(FileDownload.class);
  private static final int BUFFER_BYTES = 1 << 16;
  private static final Pattern RANGE = Pattern.compile("bytes (\\d+)-\\d+/(\\d+|\\*)");

  private final HubClient client;
  private final HubSettings settings;
  private final CachedModel cache;
  private final ModelId id;
  private final String commit;
  private final RemoteFile file;
  private final DownloadMeter meter;

  FileDownload(
      HubClient client,
      HubSettings settings,
      CachedModel cache,
      ModelId id,
      String commit,
      RemoteFile file,
      DownloadMeter meter) {
    this.client = client;
    this.settings = settings;
    this.cache = cache;
    this.id = id;
    this.commit = commit;
    this.file = file;
    this.meter = meter;
  }

  /**
   * Does it.
   *
   * @throws HubException if it cannot be; what has come stays for the next run unless it was wrong
   */
  void run() throws IOException, InterruptedException {
    Path blob = cache.blob(file.etag());
    BlobLock lock = BlobLock.acquire(cache.lock(file.etag()));
    try {
      if (cache.has(commit, file.name())) { // another process was faster
        meter.found(file.size());
        meter.fileDone();
        return;
      }
      boolean there = Files.isRegularFile(blob) && Files.size(blob) == file.size();
      if (there) {
        meter.found(file.size());
      } else {
        fetch(blob);
      }
      cache.link(commit, file.name(), file.etag(), !there);
    } finally {
      lock.close();
    }
    meter.fileDone();
  }

  private void fetch(Path blob) throws IOException, InterruptedException {
    boolean resumed;
    try (PartialBlob partial = PartialBlob.open(cache.incomplete(file.etag()), file)) {
      resumed = partial.size() > 0;
      if (resumed) {
        log.info("{}: goes on after {} of {} bytes", file.name(), partial.size(), file.size());
        meter.found(partial.size());
      }
      receive(partial);
      Optional<String> wrong = partial.wrongHash();
      if (wrong.isEmpty()) {
        partial.moveTo(blob);
        return;
      }
      partial.discard();
      meter.found(-file.size());
      if (!resumed) {
        throw new HubException(
            ("%s of %s came with hash %s instead of %s and was deleted; try again, and ask whoever"
                    + " runs %s if it stays so")
                .formatted(file.name(), id, wrong.get(), file.etag(), settings.endpoint()));
      }
    }
    // What an earlier run, or another tool, left may have been wrong; this one has not been seen.
    log.warn("{}: what an earlier run left does not fit; it is fetched anew", file.name());
    fetch(blob);
  }

  private void receive(PartialBlob partial) throws IOException, InterruptedException {
    Retries retries =
        new Retries(settings.transfers().attempts(), settings.transfers().firstWait());
    String what = file.name() + " of " + id;
    while (!partial.complete()) {
      long before = partial.size();
      try {
        attempt(partial);
      } catch (HubException | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        if (partial.size() > before) {
          retries.advanced();
        }
        try {
          retries.awaitNext(what, e);
        } catch (IOException last) {
          throw new HubException(
              "%s did not come whole: %s; %d of %d bytes are kept, and the next run goes on there"
                  .formatted(what, Retries.describe(last), partial.size(), file.size()),
              last);
        }
      }
    }
  }

  private void attempt(PartialBlob partial) throws IOException, InterruptedException {
    HttpResponse<InputStream> response = client.open(id, commit, file.name(), partial.size());
    try (InputStream body = new StallGuard(response.body(), settings.transfers().stallTimeout())) {
      if (response.statusCode() == 416) {
        startOver(partial);
        throw new IOException("the server has nothing where the file was to go on");
      }
      if (!continues(response, partial.size())) {
        startOver(partial);
      }
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int count = body.read(buffer); count >= 0; count = body.read(buffer)) {
        partial.append(buffer, count);
        meter.received(count);
      }
    }
    if (!partial.complete()) {
      throw new IOException(
          "the connection ended after %d of %d bytes".formatted(partial.size(), file.size()));
    }
  }

  private void startOver(PartialBlob partial) throws IOException {
    meter.found(-partial.size());
    partial.startOver();
  }

  /** Whether the answer begins where the file ends; a server may also send all of it again. */
  private boolean continues(HttpResponse<InputStream> response, long from) throws IOException {
    long start = 0;
    long whole = response.headers().firstValueAsLong("Content-Length").orElse(file.size());
    if (response.statusCode() == 206) {
      Matcher range = RANGE.matcher(response.headers().firstValue("Content-Range").orElse(""));
      if (!range.matches()) {
        throw new IOException("a part of the file came without saying which");
      }
      start = Long.parseLong(range.group(1));
      whole = range.group(2).equals("*") ? file.size() : Long.parseLong(range.group(2));
      if (start != from) {
        throw new IOException("bytes from %d were asked for, %d came".formatted(from, start));
      }
    }
    if (whole != file.size()) {
      throw new HubException(
          "%s of %s has %d bytes where it is stored, and %d as the hub says; try again later"
              .formatted(file.name(), id, whole, file.size()));
    }
    return start == from;
  }
}
