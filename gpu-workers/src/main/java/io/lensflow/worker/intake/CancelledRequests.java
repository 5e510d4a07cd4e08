package io.lensflow.worker.intake;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Remembers who was cancelled, since the order may come before the request does. Bounded: the
 * oldest orders are forgotten first. Not thread-safe.
 */
final class CancelledRequests {
  private static final int CAPACITY = 100_000;

  private final Map<String, String> reasons =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
          return size() > CAPACITY;
        }
      };

  void add(String requestId, String reason) {
    reasons.put(requestId, reason);
  }

  /** The reason that was given, maybe empty; null if the request was not cancelled. */
  String reason(String requestId) {
    return reasons.get(requestId);
  }
}
