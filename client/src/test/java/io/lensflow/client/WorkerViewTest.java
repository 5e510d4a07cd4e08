package io.lensflow.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.WorkerHeartbeat;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkerViewTest {
  private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");

  private final SettableClock clock = new SettableClock();
  private final WorkerView view = new WorkerView(clock);

  @Test
  void shouldCountAWorkerAsLiveWhileItsHeartbeatIsYoungerThanSixSeconds() {
    view.update("w", heartbeat("w"), NOW, true);

    clock.now = NOW.plusMillis(5_999);
    assertThat(live()).containsExactly("w");
    clock.now = NOW.plusMillis(6_000);
    assertThat(live()).isEmpty();
  }

  @Test
  void shouldNotTakeAHeartbeatFromHistoryForALiveWorker() {
    view.update("w", heartbeat("w"), NOW.minusSeconds(3600), false);

    assertThat(live()).isEmpty();
  }

  @Test
  void shouldAskTheBrokersClockWhenThisMachinesIsWrong() {
    Instant brokerNow = NOW.minusSeconds(100);
    view.update("dead", heartbeat("dead"), brokerNow.minusSeconds(50), false);
    view.update("w", heartbeat("w"), brokerNow, true);

    assertThat(live()).containsExactly("w");
    clock.now = NOW.plusSeconds(7);
    assertThat(live()).isEmpty();
  }

  @Test
  void shouldForgetAWorkerThatSaysGoodbye() {
    view.update("w", heartbeat("w"), NOW, true);
    view.update("v", heartbeat("v"), NOW, true);
    view.update("w", null, NOW, true);

    assertThat(live()).containsExactly("v");
  }

  private List<String> live() {
    return view.live().stream().map(WorkerHeartbeat::getWorker).toList();
  }

  private static WorkerHeartbeat heartbeat(String worker) {
    return WorkerHeartbeat.newBuilder().setWorker(worker).setModel("m").build();
  }

  private static final class SettableClock extends Clock {
    Instant now = NOW;

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
