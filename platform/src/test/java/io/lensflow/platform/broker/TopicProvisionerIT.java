package io.lensflow.platform.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.schemas.topics.TopicProvisioner;
import io.lensflow.schemas.topics.TopicSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TopicProvisionerIT {
  private final String bootstrapServers = SharedBroker.bootstrapServers();
  private final Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers));

  @AfterEach
  void close() {
    admin.close();
  }

  @Test
  void shouldFindNoDifferenceWhenItCreatedTheTopicsItself() {
    TopicCatalogue catalogue = new TopicCatalogue("whole.", 3, (short) 1);
    List<TopicSpec> specs = new ArrayList<>(catalogue.specs());
    specs.addAll(catalogue.specs("some/model"));

    TopicProvisioner.create(admin, specs);
    TopicProvisioner.create(admin, specs);

    assertThat(TopicProvisioner.differences(admin, specs)).isEmpty();
  }

  @Test
  void shouldCreateEachOnceWhenServicesStartTogether() {
    TopicCatalogue catalogue = new TopicCatalogue("together.", 1, (short) 1);
    List<CompletableFuture<Void>> starts = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      starts.add(
          CompletableFuture.runAsync(() -> TopicProvisioner.create(admin, catalogue.specs())));
    }

    assertThat(starts).allSatisfy(start -> start.get(60, TimeUnit.SECONDS));
    assertThat(TopicProvisioner.differences(admin, catalogue.specs())).isEmpty();
  }

  @Test
  void shouldNameEverythingThatDiffersWhenTheBrokersTopicsAreOthers() throws Exception {
    TopicCatalogue catalogue = new TopicCatalogue("differs.", 1, (short) 1);
    TopicProvisioner.create(admin, catalogue.specs());
    change(catalogue.activations(), "retention.bytes", "4096");
    change(catalogue.steeringVectors(), "cleanup.policy", "delete");
    admin.deleteTopics(List.of(catalogue.audit())).all().get();

    List<TopicSpec> wanted = new TopicCatalogue("differs.", 3, (short) 1).specs();

    // The broker answers a change before it shows it.
    List<String> differences = List.of();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (differences.size() < 9 && System.nanoTime() < deadline) {
      differences = TopicProvisioner.differences(admin, wanted);
    }
    assertThat(differences)
        .contains(
            "Topic differs.activations has retention.bytes = 4096 where the catalogue says"
                + " 1073741824.",
            "Topic differs.steering-vectors has cleanup.policy = delete where the catalogue says"
                + " compact.",
            "Topic differs.completions has partitions = 1 where the catalogue says 3.",
            "Topic differs.audit does not exist.")
        .noneMatch(sentence -> sentence.contains("differs.workers"));
  }

  @Test
  void shouldTakeRecordsBeyondTheUsualLimitWhenTheyAreActivations() throws Exception {
    TopicCatalogue catalogue = new TopicCatalogue("large.", 1, (short) 1);
    TopicProvisioner.create(admin, catalogue.specs());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrapServers, "max.request.size", 8 << 20),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      byte[] value = new byte[5 << 20];
      assertThat(
              producer
                  .send(new ProducerRecord<>(catalogue.activations(), value))
                  .get(30, TimeUnit.SECONDS)
                  .serializedValueSize())
          .isEqualTo(5 << 20);
    }
  }

  private void change(String topic, String key, String value) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    AlterConfigOp set = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
    admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
  }
}
