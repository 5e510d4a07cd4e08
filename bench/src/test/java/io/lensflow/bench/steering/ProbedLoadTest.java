package io.lensflow.bench.steering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.cli.CommandFailure;
import io.lensflow.client.follow.LiveEvent;
import io.lensflow.records.CompletionType;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
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
      line.events.add(new LiveEvent.Accepted(FakeLine.event(line.last, CompletionType.ACCEPTED)));
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
      line.events.add(new LiveEvent.Ended(FakeLine.event(generating, CompletionType.FINISHED)));
      assertThat(sent).failsWithin(SOON);
      assertThatThrownBy(() -> ProbedLoad.await(sent))
          .isInstanceOf(CommandFailure.class)
          .hasMessageEndingWith("the broker is gone");
      assertThat(load.probe(3)).as("sent when nobody follows any more").failsWithin(SOON);
    }
  }
}
