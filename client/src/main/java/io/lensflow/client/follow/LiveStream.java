package io.lensflow.client.follow;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;

/**
 * Requests as they happen: tokens, results and (if asked) raw chunks in the order in which they
 * arrive, every attempt's until the terminal event and the winner's from then on. A record that
 * arrives twice is handed on once.
 *
 * <p>Threads: see {@link FollowStream}. Memory: following all requests, it remembers the last
 * {@value #REMEMBERED} of them; one that was silent for longer starts anew.
 */
public final class LiveStream extends FollowStream<LiveEvent> {
  private static final int REMEMBERED = 10_000;

  private final Map<String, LiveRequest> requests =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, LiveRequest> eldest) {
          return size() > REMEMBERED;
        }
      };

  public LiveStream(RequestTail tail, Subscription subscription) {
    super(tail, subscription);
  }

  @Override
  void accept(TailRecord record, Queue<LiveEvent> out) {
    requests
        .computeIfAbsent(record.requestId(), id -> new LiveRequest(subscription))
        .accept(record, out::add);
  }

  @Override
  void advance(Queue<LiveEvent> out) {
    // everything is handed on the moment it is accepted
  }

  /** For a stream of all requests always false. */
  @Override
  public boolean hasEnded() {
    return subscription.requestId().isPresent() && missing().isEmpty() && isDrained();
  }

  @Override
  public Optional<String> missing() {
    return subscription
        .requestId()
        .map(requests::get)
        .map(LiveRequest::missing)
        .orElse(Optional.of("any news"));
  }
}
