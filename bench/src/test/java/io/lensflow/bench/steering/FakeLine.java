package io.lensflow.bench.steering;

import io.lensflow.client.follow.LiveEvent;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Brings the events that a test puts in, in order. Thread-safe. */
class FakeLine implements ProbedLoad.Line {
  final BlockingQueue<LiveEvent> events = new LinkedBlockingQueue<>();

  /** Id of the request that was sent last. */
  volatile String last;

  /** Whether nothing can be sent any more. */
  volatile boolean broken;

  static CompletionEvent event(String request, CompletionType type) {
    return CompletionEvent.newBuilder().setRequestId(request).setType(type).build();
  }

  @Override
  public void submit(PromptRequest request) {
    if (broken) {
      throw new IllegalStateException("the broker is gone");
    }
    last = request.getRequestId();
  }

  @Override
  public Optional<LiveEvent> next(Duration patience) {
    try {
      return Optional.ofNullable(events.poll(patience.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {}
}
