package io.lensflow.worker.steering;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import io.lensflow.records.Failure;
import io.lensflow.records.PolicyState;
import io.lensflow.records.PolicyUse;
import io.lensflow.records.RefusedVector;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.worker.Runs;
import io.lensflow.worker.ranks.TensorParallelGroup;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Records of the steering topics that cannot be decoded, and what becomes of requests then. */
class SteeringTailTest {
  private static final ActorTestKit AKKA = ActorTestKit.create();
  private static final SteeringTail.Topics TOPICS =
      new SteeringTail.Topics("vectors", "aliases", "policies");

  /** Never asked: bytes that are no record name no schema. */
  private static final SchemaRegistryClient REGISTRY =
      new SchemaRegistryClient(URI.create("http://localhost:1"));

  private final TestProbe<TensorParallelGroup.Command> group = AKKA.createTestProbe();
  private final TestProbe<SteeringTable.Event> listener = AKKA.createTestProbe();
  private ActorRef<SteeringTable.Command> table;
  private SteeringTail tail;

  @AfterAll
  static void stop() {
    AKKA.shutdownTestKit();
  }

  @BeforeEach
  void start() {
    table =
        AKKA.spawn(
            SteeringTable.create(
                "scripted",
                Runs.engine(4, 8),
                group.ref(),
                List.of(listener.ref()),
                Duration.ofSeconds(5),
                Instant::now));
    tail =
        new SteeringTail(
            "scripted",
            TOPICS,
            new SteeringTail.Decoders(
                new RecordDeserializer<>(REGISTRY, SteeringVector.class),
                new RecordDeserializer<>(REGISTRY, SteeringAlias.class),
                new RecordDeserializer<>(REGISTRY, SteeringPolicy.class)),
            table);
  }

  private void read(String topic, String key, byte[] value) {
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    tail.records(List.of(new ConsumerRecord<>(topic, 0, 0, bytes, value)), Map.of());
  }

  private void readBroken(String topic, String key) {
    read(topic, key, new byte[] {1});
  }

  /** A policy that gives nothing to those whom it matches. */
  private void readPolicy(String name, int version, Map<String, String> labels) {
    SteeringPolicy policy =
        SteeringPolicy.newBuilder()
            .setModel("scripted")
            .setPolicy(name)
            .setVersion(version)
            .setEnabled(true)
            .setMatchLabels(labels)
            .build();
    CompletableFuture<Void> done = new CompletableFuture<>();
    table.tell(
        new SteeringTable.Apply(
            List.of(new SteeringUpdate.Policy("scripted/" + name, policy)), Map.of(), done));
    done.join();
  }

  private Resolution resolve(PolicyUse policies) {
    TestProbe<Resolution> answer = AKKA.createTestProbe();
    table.tell(new SteeringTable.Resolve(List.of(), Map.of("team", "red"), policies, answer.ref()));
    return answer.receiveMessage();
  }

  /** What the worker tells, once it has told of something. */
  private SteeringSnapshot told() {
    SteeringTable.Event event = listener.receiveMessage();
    return event instanceof SteeringTable.Changed changed ? changed.snapshot() : told();
  }

  @Test
  void shouldRunNothingWithoutAPolicyOfTheStartThatCannotBeRead() {
    readBroken("policies", "scripted/calm");
    tail.caughtUp();

    Failure failure = ((Resolution.Missing) resolve(PolicyUse.APPLY)).failure();
    assertThat(failure.getCode()).isEqualTo("STEERING_UNAVAILABLE");
    assertThat(failure.getField()).isEqualTo("policies");
    assertThat(failure.getMessage()).contains("policy calm", "cannot be decoded", "set it again");
    assertThat(resolve(PolicyUse.IGNORE)).isInstanceOf(Resolution.Pinned.class);
    PolicyState state = told().policies().get(0);
    assertThat(state.getPolicy()).isEqualTo("calm");
    assertThat(state.getVersion()).isZero();
    assertThat(state.getReason()).contains("cannot be decoded");
  }

  @Test
  void shouldGoOnWhenThePolicyIsSetAgainOrDeleted() {
    readBroken("policies", "scripted/calm");
    readBroken("policies", "scripted/warm");
    tail.caughtUp();
    readPolicy("calm", 2, Map.of("team", "blue"));
    assertThat(resolve(PolicyUse.APPLY)).isInstanceOf(Resolution.Missing.class);

    read("policies", "scripted/warm", null);

    assertThat(resolve(PolicyUse.APPLY)).isInstanceOf(Resolution.Pinned.class);
  }

  @Test
  void shouldKeepTheOldPolicyAndReportTheNewOneWhenItCannotBeRead() {
    readPolicy("calm", 4, Map.of());
    told();
    tail.caughtUp();

    readBroken("policies", "scripted/calm");

    assertThat(resolve(PolicyUse.APPLY)).isInstanceOf(Resolution.Pinned.class);
    PolicyState state = told().policies().get(0);
    assertThat(state.getVersion()).isEqualTo(4);
    assertThat(state.getReason()).contains("cannot be decoded");
  }

  @Test
  void shouldHoldNobodyUpWhenANewPolicyCannotBeRead() {
    tail.caughtUp();

    readBroken("policies", "scripted/calm");

    assertThat(resolve(PolicyUse.APPLY)).isInstanceOf(Resolution.Pinned.class);
    assertThat(told().policies()).extracting(PolicyState::getPolicy).containsExactly("calm");
  }

  @Test
  void shouldRefuseOnlyWhatStandsInTheTopicOfVectors() {
    readBroken("policies", "scripted/x@3");
    assertThat(told().refused()).isEmpty();
    readBroken("aliases", "scripted/v/x@3");
    readBroken("vectors", "scripted/v@2");

    assertThat(told().refused()).extracting(RefusedVector::getName).containsExactly("v");
  }
}
