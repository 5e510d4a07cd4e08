package io.lensflow.steering.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.lensflow.records.PolicyState;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.steering.worker.Rollout.Outcome;
import io.lensflow.steering.worker.Rollout.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class RolloutTest {
  private static final Duration AT_ONCE = Duration.ZERO;
  private static final Verdict ON_V2 = Verdict.onVector("v", 2);

  private final List<WorkerHeartbeat> live = new ArrayList<>();
  private final LiveWorkers workers = new LiveWorkers(() -> List.copyOf(live));

  private static WorkerHeartbeat.Builder worker(String name) {
    return WorkerHeartbeat.newBuilder().setWorker(name).setIncarnation("1").setModel("m");
  }

  @Test
  void shouldNameWhatBecameOfEachWorkerThatWasLive() {
    for (String name : List.of("a", "b", "c", "d", "e")) {
      live.add(worker(name).build());
    }
    live.add(worker("other").setModel("another").build());
    Rollout rollout = Rollout.begin(workers, "m");
    live.clear();
    live.add(worker("a").setVectors(List.of(new VectorVersion("v", 2))).build());
    live.add(worker("b").setRefused(List.of(new RefusedVector("v", 2, "too short"))).build());
    live.add(worker("c").setIncarnation("2").build());
    live.add(worker("e").setVectors(List.of(new VectorVersion("v", 1))).build());
    live.add(worker("late").build());

    List<Outcome> outcomes = rollout.await(ON_V2, AT_ONCE);

    assertThat(outcomes)
        .extracting(Outcome::worker, Outcome::state)
        .containsExactly(
            tuple("a", State.APPLIED),
            tuple("b", State.REFUSED),
            tuple("c", State.GONE),
            tuple("d", State.GONE),
            tuple("e", State.PENDING));
    assertThat(outcomes.get(1).reason()).isEqualTo("too short");
    assertThat(outcomes.get(2).reason()).contains("anew");
    assertThat(outcomes.get(0).after()).isNotNull();
    assertThat(outcomes.get(4).after()).isNull();
  }

  @Test
  void shouldWaitForTheAliasToBeReadAndItsVersionToBeLoaded() {
    Verdict moved = Verdict.onAlias("v", 2, Map.of(new TopicPartition("aliases", 0), 7L));
    WorkerHeartbeat.Builder loaded = worker("a").setVectors(List.of(new VectorVersion("v", 2)));
    assertThat(moved.of(loaded.setAppliedOffsets(Map.of("aliases-0", 6L)).build())).isEmpty();
    assertThat(moved.of(loaded.setAppliedOffsets(Map.of("aliases-0", 7L)).build()))
        .contains(Verdict.Answer.APPLIED);
  }

  @Test
  void shouldSayWhatAPolicyWaitsFor() {
    live.add(worker("a").build());
    Rollout rollout = Rollout.begin(workers, "m");
    live.set(
        0,
        worker("a").setPolicies(List.of(new PolicyState("calm", 1, 2, "v@9 is missing"))).build());

    Outcome outcome = rollout.await(Verdict.onPolicy("calm", 2), AT_ONCE).get(0);

    assertThat(outcome.state()).isEqualTo(State.PENDING);
    assertThat(outcome.reason()).isEqualTo("v@9 is missing");
  }
}
