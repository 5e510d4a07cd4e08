package io.lensflow.steering.writer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lensflow.records.HookPoint;
import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.Topics;
import io.lensflow.steering.job.JobBook;
import io.lensflow.steering.policy.PolicyBook;
import io.lensflow.steering.policy.PolicyChanges;
import io.lensflow.steering.topics.CommittedEnds;
import io.lensflow.steering.topics.SteeringTopics;
import io.lensflow.steering.topics.TopicTail;
import io.lensflow.steering.vector.Change;
import io.lensflow.steering.vector.ChangePlanner;
import io.lensflow.steering.vector.DraftCheck;
import io.lensflow.steering.vector.Drafts;
import io.lensflow.steering.vector.Origin;
import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.vector.VectorId;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.testkit.KafkaExtension;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Two writers that both believe to be the one: what the broker lets through, whatever the group
 * says.
 */
@ExtendWith(KafkaExtension.class)
class WriterFencingIT {
  private static final WriterTimes TIMES =
      new WriterTimes(Duration.ofSeconds(2), Duration.ofSeconds(10), Duration.ofSeconds(20));

  private final KafkaEnvironment kafka;
  private final Topics topics;
  private final TopicCatalogue names;
  private Instance first;
  private Instance second;

  WriterFencingIT(KafkaEnvironment kafka) {
    this.kafka = kafka;
    this.names = kafka.catalogue();
    kafka.createTopics();
    this.topics = new Topics(kafka);
  }

  @BeforeEach
  void makeTwo() {
    first = new Instance();
    second = new Instance();
  }

  @AfterEach
  void closeAll() {
    first.close();
    second.close();
    topics.close();
  }

  @Test
  void shouldGiveNoNumberTwiceWhenThePredecessorDoesNotKnowThatItWasReplaced() {
    VectorId id = new VectorId("fenced", "v");
    first.writer.open();
    assertThat(first.publish(id)).isEqualTo(1);
    second.writer.open();
    assertThat(second.publish(id)).isEqualTo(2);

    assertThat(first.writer.isOpen()).isTrue();
    assertThatThrownBy(() -> first.publish(id)).isInstanceOf(NotWriterException.class);
    assertThat(first.writer.isOpen()).isFalse();
    assertThat(first.writer.isFencedLately()).isTrue();

    assertThat(second.publish(id)).isEqualTo(3);
    first.writer.open();
    assertThat(first.publish(id)).isEqualTo(4);
    assertThatThrownBy(() -> second.publish(id)).isInstanceOf(NotWriterException.class);
    assertThat(manifests(id)).containsExactly(1, 2, 3, 4);
  }

  @Test
  void shouldAbortWhatThePredecessorLeftUnfinished() {
    VectorId id = new VectorId("unfinished", "v");
    try (Producer<String, SpecificRecord> paused =
        topics.clients().producer(Map.of("transactional.id", names.prefix() + "steering-writer"))) {
      paused.initTransactions();
      paused.beginTransaction();
      Change half = first.changes.publish(id, Drafts.at(0, HookPoint.MLP_INPUT, 1), origin());
      paused.send(half.records().get(0));
      paused.send(half.records().get(1));
      paused.flush();

      second.writer.open();
      assertThat(second.publish(id)).isEqualTo(1);
      assertThat(manifests(id)).containsExactly(1);
      assertThat(topics.read(names.steeringVectors(), SteeringVector.class))
          .filteredOn(seen -> seen.key().startsWith("unfinished/"))
          .extracting(seen -> seen.key())
          .containsExactly("unfinished/v@1/RESIDUAL_POST/0", "unfinished/v@1");
    }
  }

  @Test
  void shouldGoOnWhenARecordIsTooLarge() {
    VectorId id = new VectorId("large", "v");
    first.writer.open();
    SpecificRecord huge =
        SteeringVector.newBuilder().setName("x".repeat(names.sizes().maxRecordBytes())).build();
    Change change =
        new Change(
            "PUBLISH",
            id.model(),
            id.name(),
            List.of(1),
            List.of(LensflowHeaders.record(names.steeringVectors(), "large/v@1", huge, null)),
            List.of());
    assertThatThrownBy(() -> first.writer.write(() -> change))
        .isInstanceOf(RecordTooLargeException.class);
    assertThat(first.publish(id)).isEqualTo(1);
  }

  private List<Integer> manifests(VectorId id) {
    return topics.read(names.steeringVectors(), SteeringVector.class).stream()
        .filter(seen -> seen.key().matches(id.key() + "@\\d+"))
        .map(seen -> seen.value().getVersion())
        .toList();
  }

  private static Origin origin() {
    return Origin.http("");
  }

  /** All of an instance but its HTTP and its group membership. */
  private final class Instance implements AutoCloseable {
    final KafkaClients clients = topics.clients();
    final Admin admin = kafka.admin();
    final VectorBook book = new VectorBook();
    final VectorChanges changes =
        new VectorChanges(
            book,
            new ChangePlanner(names, Clock.systemUTC()),
            new DraftCheck(8),
            model -> List.of(),
            vector -> List.of());
    final PolicyBook policies = new PolicyBook();
    final TopicTail tail;
    final Writer writer;

    Instance() {
      SteeringTopics steering = new SteeringTopics(clients, book, policies, new JobBook());
      tail =
          new TopicTail(
              () -> clients.bytesConsumer(Map.of("isolation.level", "read_committed")),
              Map.of(
                  names.steeringVectors(), steering::takeVector,
                  names.steeringAliases(), steering::takeAlias,
                  names.steeringPolicies(), steering::takePolicy));
      writer =
          new Writer(
              clients,
              TIMES,
              new CommittedEnds(admin),
              tail,
              changes,
              new PolicyChanges(policies, book, model -> List.of(), names, Clock.systemUTC()),
              new SimpleMeterRegistry(),
              Clock.systemUTC());
    }

    int publish(VectorId id) {
      Change change =
          writer
              .write(() -> changes.publish(id, Drafts.at(0, HookPoint.RESIDUAL_POST, 1), origin()))
              .change();
      return change.versions().get(0);
    }

    @Override
    public void close() {
      writer.close();
      tail.close();
      admin.close();
    }
  }
}
