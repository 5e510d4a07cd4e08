package io.lensflow.hub;

import java.util.Collection;

/** Adds up how far files have come and tells the listener, one call at a time. Thread-safe. */
final class DownloadMeter {
  private final ModelId model;
  private final DownloadProgress listener;
  private final int files;
  private final long bytes;
  private int filesDone;
  private long bytesDone;
  private long bytesReceived;

  DownloadMeter(ModelId model, Collection<RemoteFile> files, DownloadProgress listener) {
    this.model = model;
    this.listener = listener;
    this.files = files.size();
    this.bytes = files.stream().mapToLong(RemoteFile::size).sum();
  }

  /** Bytes have come over the network. */
  synchronized void received(long count) {
    bytesDone += count;
    bytesReceived += count;
    tell();
  }

  /** Bytes were found on the disk; less than zero if they had to be given up again. */
  synchronized void found(long count) {
    if (count != 0) {
      bytesDone += count;
      tell();
    }
  }

  synchronized void fileDone() {
    filesDone++;
    tell();
  }

  private void tell() {
    listener.update(
        new DownloadProgress.Status(model, files, filesDone, bytes, bytesDone, bytesReceived));
  }
}
