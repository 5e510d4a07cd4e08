package io.lensflow.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.lensflow.records.ControlType;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordSerializer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(KafkaExtension.class)
class KafkaExtensionIT {
  private final KafkaEnvironment kafka;

  KafkaExtensionIT(KafkaEnvironment kafka) {
    this.kafka = kafka;
  }

  @Test
  void shouldCarryARecordWhenItGoesThroughBrokerAndRegistry() throws Exception {
    kafka.createTopics();
    SchemaRegistryClient registry = kafka.registry();
    String id = Ids.newId();
    RequestControl sent =
        RequestControl.newBuilder().setRequestId(id).setType(ControlType.CANCEL).build();
    String topic = kafka.catalogue().requestControl();
    RecordMetadata written;
    try (KafkaProducer<String, RequestControl> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new StringSerializer(),
            new RecordSerializer<>(registry))) {
      written = producer.send(LensflowHeaders.record(topic, id, sent, null)).get();
    }

    assertThat(written.partition()).isEqualTo(Partitions.of(id, 3));
    try (KafkaConsumer<String, RequestControl> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new StringDeserializer(),
            new RecordDeserializer<>(registry, RequestControl.class))) {
      TopicPartition partition = new TopicPartition(topic, written.partition());
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      ConsumerRecord<String, RequestControl> read =
          consumer.poll(Duration.ofSeconds(10)).iterator().next();
      assertThat(read.key()).isEqualTo(id);
      assertThat(read.value()).isEqualTo(sent);
      assertThat(LensflowHeaders.get(read.headers(), LensflowHeaders.TYPE))
          .contains("RequestControl.CANCEL");
    }
  }

  @Test
  void shouldGiveTheSameEnvironmentWhenTheClassAsksAgain(KafkaEnvironment again) {
    assertThat(again).isSameAs(kafka);
  }

  @Nested
  class AnotherClass {
    @Test
    void shouldShareTheBrokerButNotTheTopicsWhenAnotherClassAsks(KafkaEnvironment other) {
      assertThat(other.bootstrapServers()).isEqualTo(kafka.bootstrapServers());
      assertThat(other.catalogue().prefix()).isNotEqualTo(kafka.catalogue().prefix());
    }
  }
}
