package io.lensflow.decoder.fit;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Remembers which attempt of a request came first: only its rows count, so that a request that ran
 * twice does not weigh twice. Memory: the last {@value #MAX_REQUESTS} requests; a second attempt
 * that comes later than that would count. Not thread-safe.
 */
final class FirstAttempts {
  private static final int MAX_REQUESTS = 100_000;

  private final Map<String, String> first =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > MAX_REQUESTS;
        }
      };

  /** Whether this is the first attempt of its request that was met. */
  boolean isFirst(String requestId, String attemptId) {
    return first.computeIfAbsent(requestId, id -> attemptId).equals(attemptId);
  }
}
