package io.lensflow.bench.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.cli.CommandFailure;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ProbedLoadTest {
  private static final Duration SOON = Duration.ofSeconds(10);

  @Test
  void shouldSayWhenTheProbeWasAccepted() {
    FakeLine line = new FakeLine();
    try (ProbedLoad load = new ProbedLoad(line, "m", "v")) {
      CompletableFuture<Long> probe = load.probe(2);
      long before = System.nanoTime();
      line.events.add(new LiveEvent.Accepted(event(line.last, CompletionType.ACCEPTED)));
      assertThat(ProbedLoad.await(probe)).isGreaterThanOrEqualTo(before);
    }
  }

  @Test
  void shouldFailAllProbesWhenTheNextRequestCannotBeSent() {
    FakeLine line = new FakeLine();
    try (ProbedLoad load = new ProbedLoad(line, "m", "v")) {
      String generating = line.last;
      CompletableFuture<Long> sent = load.probe(2);
      line.broken = true;
      line.events.add(new LiveEvent.Ended(event(generating, CompletionType.FINISHED)));
      assertThat(sent).failsWithin(SOON);
      assertThatThrownBy(() -> ProbedLoad.await(sent))
          .isInstanceOf(CommandFailure.class)
          .hasMessageEndingWith("the broker is gone");
      assertThat(load.probe(3)).as("sent when nobody follows any more").failsWithin(SOON);
    }
  }

  private static CompletionEvent event(String request, CompletionType type) {
    return CompletionEvent.newBuilder().setRequestId(request).setType(type).build();
  }

  /** Events as the test has put them in; from then on that it is broken, nothing can be sent. */
  private static final class FakeLine implements ProbedLoad.Line {
    final BlockingQueue<LiveEvent> events = new LinkedBlockingQueue<>();
    volatile String last;
    volatile boolean broken;

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
}
