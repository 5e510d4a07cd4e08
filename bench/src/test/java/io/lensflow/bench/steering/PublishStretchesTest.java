package io.lensflow.bench.steering;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.client.follow.LiveEvent;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.Tokens;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PublishStretchesTest {
  private static final int COUNT = 5;
  private static final Duration PUBLISH = Duration.ofMillis(10);

  private static final Duration PACE = Duration.ofMillis(20);

  private final List<Integer> published = new ArrayList<>();

  /** Else what probes cost would hide what publishing costs. */
  @Test
  void shouldProbeAsOftenAndForAsLongWhenNothingIsPublished() throws Exception {
    AnsweringLine line = new AnsweringLine();
    try (ProbedLoad load = new ProbedLoad(line, "m", "v")) {
      PublishStretches stretches = new PublishStretches(load, this::publish, COUNT, PACE);
      assertThat(timeOf(stretches::publishing)).isGreaterThanOrEqualTo(PACE.multipliedBy(COUNT));
      assertThat(published).containsExactly(2, 3, 4, 5, 6);
      assertThat(line.probed).containsExactly(2, 3, 4, 5, 6);
      assertThat(stretches.publishingMillis())
          .hasSize(COUNT)
          .allSatisfy(millis -> assertThat(millis).isGreaterThanOrEqualTo(PUBLISH.toMillis()));

      line.probed.clear();
      assertThat(timeOf(stretches::plain)).isGreaterThanOrEqualTo(PACE.multipliedBy(COUNT));
      assertThat(line.probed).containsExactly(1, 1, 1, 1, 1);
      assertThat(published).hasSize(COUNT);
    }
  }

  /** How long a stretch takes, which gives seconds for a token. */
  private static Duration timeOf(Callable<Double> stretch) throws Exception {
    long start = System.nanoTime();
    assertThat(stretch.call()).isPositive().isFinite();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private void publish(int version) {
    long end = System.nanoTime() + PUBLISH.toNanos();
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    published.add(version);
  }

  /** Accepts a probe at once, after the load has got a token. */
  private static final class AnsweringLine extends FakeLine {
    final List<Integer> probed = new ArrayList<>();

    @Override
    public void submit(PromptRequest request) {
      super.submit(request);
      if (!request.getSteering().isEmpty()) {
        probed.add(request.getSteering().get(0).getVersion());
        events.add(new LiveEvent.TokensGenerated(token()));
        events.add(new LiveEvent.Accepted(event(last, CompletionType.ACCEPTED)));
      }
    }

    private static CompletionEvent token() {
      CompletionEvent event = event("of the load", CompletionType.TOKENS);
      event.setTokens(Tokens.newBuilder().setIds(List.of(1)).build());
      return event;
    }
  }
}
