package io.lensflow.worker.intake;

import java.time.Instant;
import java.util.concurrent.CompletionStage;

/** Finds out what has happened to a request so far. Thread-safe. */
public interface HistoryReader extends AutoCloseable {
  /**
   * Reads the request's history.
   *
   * @param requestId the request
   * @param since no event of it is older, by the broker's clock
   * @return completes exceptionally if the broker could not be asked
   */
  CompletionStage<RequestHistory> read(String requestId, Instant since);

  @Override
  void close();
}
