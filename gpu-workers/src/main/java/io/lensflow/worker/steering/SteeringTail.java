package io.lensflow.worker.steering;

import akka.actor.typed.ActorRef;
import io.lensflow.records.SteeringAlias;
import io.lensflow.records.SteeringVector;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.TopicTail;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
  private final String vectorsTopic;
  private final RecordDeserializer<SteeringVector> vectors;
  private final RecordDeserializer<SteeringAlias> aliases;
  private final ActorRef<SteeringTable.Command> table;

  /**
   * @param model served name; records of other models are not even decoded
   * @param vectorsTopic the topic of vectors; everything else is an alias
   */
  public SteeringTail(
      String model,
      String vectorsTopic,
      RecordDeserializer<SteeringVector> vectors,
      RecordDeserializer<SteeringAlias> aliases,
      ActorRef<SteeringTable.Command> table) {
    this.keys = new SteeringKeys(model);
    this.vectorsTopic = vectorsTopic;
    this.vectors = vectors;
    this.aliases = aliases;
    this.table = table;
  }

  @Override
  public void records(
      List<ConsumerRecord<byte[], byte[]>> records, Map<TopicPartition, Long> nextOffsets) {
    List<SteeringUpdate> updates = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      String key = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
      if (keys.isMine(key)) {
        updates.add(decode(key, record));
      }
    }
    Map<String, Long> offsets = new HashMap<>();
    nextOffsets.forEach((partition, next) -> offsets.put(partition.toString(), next));
    CompletableFuture<Void> done = new CompletableFuture<>();
    table.tell(new SteeringTable.Apply(updates, offsets, done));
    await(done);
  }

  private SteeringUpdate decode(String key, ConsumerRecord<byte[], byte[]> record) {
    boolean isVector = record.topic().equals(vectorsTopic);
    try {
      return isVector
          ? new SteeringUpdate.Vector(key, vectors.deserialize(record.topic(), record.value()))
          : new SteeringUpdate.Alias(key, aliases.deserialize(record.topic(), record.value()));
    } catch (RecordFormatException e) {
      log.warn("key={} of {} cannot be decoded: {}", key, record.topic(), e.getMessage());
      return new SteeringUpdate.Broken(key, "its record cannot be decoded: " + e.getMessage());
    }
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
