package io.lensflow.worker.steering;

import akka.actor.typed.ActorRef;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringPolicy;
import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.TopicTail;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes the records of the steering topics that belong to one model and hands them to the table.
 * Used by the tail's thread.
 */
public final class SteeringTail implements TopicTail.Handler {
  private static final Logger log = LoggerFactory.getLogger(SteeringTail.class);
  private static final long APPLY_SECONDS = 30;

  private final SteeringKeys keys;
  private final Topics topics;
  private final Decoders decoders;
  private final ActorRef<SteeringTable.Command> table;

  /** The topics that are followed. */
  public record Topics(String vectors, String aliases, String policies) {
    /** All of them. */
    public List<String> names() {
      return List.of(vectors, aliases, policies);
    }
  }

  /** Decoders of their records. */
  public record Decoders(
      RecordDeserializer<SteeringVector> vectors,
      RecordDeserializer<SteeringAlias> aliases,
      RecordDeserializer<SteeringPolicy> policies) {}

  /**
   * @param model served name; records of other models are not even decoded
   */
  public SteeringTail(
      String model, Topics topics, Decoders decoders, ActorRef<SteeringTable.Command> table) {
    this.keys = new SteeringKeys(model);
    this.topics = topics;
    this.decoders = decoders;
    this.table = table;
  }

  @Override
  public void records(
      List<ConsumerRecord<byte[], byte[]>> records, Map<TopicPartition, Long> nextOffsets) {
    List<SteeringUpdate> updates = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      String key = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
      if (keys.isMine(key)) {
        decode(key, record).ifPresent(updates::add);
      }
    }
    Map<String, Long> offsets = new HashMap<>();
    nextOffsets.forEach((partition, next) -> offsets.put(partition.toString(), next));
    CompletableFuture<Void> done = new CompletableFuture<>();
    table.tell(new SteeringTable.Apply(updates, offsets, done));
    await(done);
  }

  private Optional<SteeringUpdate> decode(String key, ConsumerRecord<byte[], byte[]> record) {
    String topic = record.topic();
    try {
      if (topic.equals(topics.vectors())) {
        return Optional.of(
            new SteeringUpdate.Vector(key, decoders.vectors().deserialize(topic, record.value())));
      }
      return Optional.of(
          topic.equals(topics.aliases())
              ? new SteeringUpdate.Alias(key, decoders.aliases().deserialize(topic, record.value()))
              : new SteeringUpdate.Policy(
                  key, decoders.policies().deserialize(topic, record.value())));
    } catch (RecordFormatException e) {
      log.warn("key={} of {} cannot be decoded: {}", key, topic, e.getMessage());
      return broken(topic, key, "its record cannot be decoded: " + e.getMessage());
    }
  }

  /** An alias goes on meaning what it meant; a worker that never knew it has it not. */
  private Optional<SteeringUpdate> broken(String topic, String key, String reason) {
    if (topic.equals(topics.aliases())) {
      return Optional.empty();
    }
    return Optional.of(
        topic.equals(topics.vectors())
            ? new SteeringUpdate.BrokenVector(key, reason)
            : new SteeringUpdate.BrokenPolicy(key, reason));
  }

  private static void await(CompletableFuture<Void> done) {
    try {
      done.get(APPLY_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      log.warn("steering records were not applied in {} s: {}", APPLY_SECONDS, e.toString());
    }
  }

  @Override
  public void caughtUp() {
    table.tell(new SteeringTable.CaughtUp());
  }
}
