package io.lensflow.worker.supervision;

import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.serde.RecordDeserializer;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.text.Tokenizer;
import io.lensflow.worker.WorkerIdentity;
import io.lensflow.worker.WorkerMetrics;
import io.lensflow.worker.WorkerSettings;
import io.lensflow.worker.intake.HistoryReader;
import io.lensflow.worker.intake.RequestSource;
import io.lensflow.worker.lag.DecoderWatch;
import io.lensflow.worker.publishing.EventLog;
import io.lensflow.worker.ranks.EngineSource;
import io.lensflow.worker.scheduling.BatchLane;
import io.lensflow.worker.steering.SteeringTail;
import java.time.InstantSource;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;

/**
 * What the actors of a worker are made of and do not own: whoever made these closes them after the
 * actors have stopped.
 *
 * @param lane the batch lane, if the broker has its topic
 * @param activationBytes what a partition of {@code activations} keeps
 * @param tails makes consumers without group that read committed records from the beginning
 * @param chunks producer of activation chunks
 * @param events producer of everything else
 */
public record WorkerParts(
    WorkerSettings settings,
    WorkerIdentity identity,
    TopicCatalogue catalogue,
    EngineSource engine,
    Tokenizer tokenizer,
    BatchLane lane,
    RequestSource source,
    HistoryReader history,
    DecoderWatch decoder,
    long activationBytes,
    Decoders decoders,
    Supplier<Consumer<byte[], byte[]>> tails,
    Producer<String, SpecificRecord> chunks,
    EventLog events,
    WorkerMetrics metrics,
    InstantSource clock,
    Lifecycle lifecycle) {
  /** Decoders of the records that a worker reads. */
  public record Decoders(
      RecordDeserializer<PromptRequest> requests,
      RecordDeserializer<RequestControl> control,
      SteeringTail.Decoders steering) {}

  /**
   * The topic of requests that may wait; empty if none are taken. A worker may take all of its
   * requests from there.
   */
  public String batchTopic() {
    boolean batch = lane.isServed() || settings.requests().from() == WorkerSettings.Topic.BATCH;
    return batch ? catalogue.promptRequestsBatch(identity.model()) : "";
  }

  /** The topic that requests are taken from. */
  public String requestTopic() {
    return settings.requests().topic(catalogue, identity.model());
  }
}
