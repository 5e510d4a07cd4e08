package io.lensflow.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts attempts in a row that brought nothing, and waits between them, twice as long each time.
 * Not thread-safe.
 */
final class Retries {
  private static final Logger log = LoggerFactory.getLogger(Retries.class);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

  private final int attempts;
  private final Duration firstWait;
  private int failed;

  Retries(int attempts, Duration firstWait) {
    this.attempts = attempts;
    this.firstWait = firstWait;
  }

  /** Something that may fail for a moment. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException, InterruptedException;
  }

  /**
   * Tries until it works.
   *
   * @throws HubException at once, since trying again does not help
   * @throws IOException the last failure, when there have been too many
   */
  <T> T run(String what, Attempt<T> attempt) throws IOException, InterruptedException {
    while (true) {
      try {
        return attempt.run();
      } catch (HubException | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        awaitNext(what, e);
      }
    }
  }

  /** Something has come after all: the count begins anew. */
  void advanced() {
    failed = 0;
  }

  /**
   * Waits before the next attempt.
   *
   * @throws IOException the failure itself, if it was one too many
   */
  void awaitNext(String what, IOException failure) throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    failed++;
    if (failed >= attempts) {
      throw failure;
    }
    Duration wait = firstWait.multipliedBy(1L << Math.min(failed - 1, 20));
    if (failure instanceof TransientException said && said.requestedWait().compareTo(wait) > 0) {
      wait = said.requestedWait();
    }
    wait = wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait;
    log.info("{}: {}; trying again in {} ms", what, describe(failure), wait.toMillis());
    Thread.sleep(wait.toMillis());
  }

  /** Exceptions of the network often say what happened by their class alone. */
  static String describe(IOException failure) {
    return failure instanceof TransientException ? failure.getMessage() : failure.toString();
  }
}
