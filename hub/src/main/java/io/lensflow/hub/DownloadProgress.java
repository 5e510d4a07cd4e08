package io.lensflow.hub;

/**
 * Hears how far a download has come. Calls never overlap but come from several threads, some
 * hundred a second: whoever draws something chooses when. A listener must not throw.
 */
@FunctionalInterface
public interface DownloadProgress {
  /** Nobody listens. */
  DownloadProgress SILENT = status -> {};

  /** Something has arrived, or is complete. */
  void update(Status status);

  /**
   * How far it is. Files that were in the cache before are not counted.
   *
   * @param model what is being fetched
   * @param files files to fetch
   * @param filesDone of them complete and checked
   * @param bytes size of all of them
   * @param bytesDone bytes that are on the disk, those of an earlier, interrupted run included
   * @param bytesReceived bytes that have come over the network in this run; tells the rate
   */
  record Status(
      ModelId model, int files, int filesDone, long bytes, long bytesDone, long bytesReceived) {
    /** Whether everything is there. */
    public boolean complete() {
      return filesDone == files;
    }
  }
}
