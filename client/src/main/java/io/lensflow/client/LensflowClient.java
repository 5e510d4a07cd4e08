package io.lensflow.client;

import io.lensflow.client.follow.LiveStream;
import io.lensflow.client.follow.RequestTail;
import io.lensflow.client.follow.ResultTopic;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.ControlType;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.lens.ServedLenses;
import io.lensflow.schemas.registry.SchemaRegistryClient;
import io.lensflow.schemas.serde.LensflowHeaders;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;

/**
 * Sends prompts to Lensflow and follows what becomes of them.
 *
 * <pre>{@code
 * try (var client = LensflowClient.open(options)) {
 *   Submission sent = client.submit(request);
 *   try (LiveStream stream = client.live(Subscription.to(sent))) {
 *     while (!stream.hasEnded()) {
 *       show(stream.await(Duration.ofSeconds(30)));
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>Thread-safe: one client serves a whole program. The streams it opens are not; each has a
 * consumer of its own, and outlives nothing: close them before the client.
 */
public final class LensflowClient implements AutoCloseable {
  private final ClientOptions options;
  private final Clock clock;
  private final KafkaConnections connections;
  private final SchemaRegistryClient registry;
  private final Admin admin;
  private final Producer<String, SpecificRecord> producer;
  private final ModelDirectory models;
  private final Map<String, Integer> partitionCounts = new ConcurrentHashMap<>();

  private LensflowClient(ClientOptions options, Clock clock) {
    this.options = options;
    this.clock = clock;
    this.connections = new KafkaConnections(options);
    this.registry = new SchemaRegistryClient(options.schemaRegistry());
    this.admin = connections.admin();
    this.producer = connections.producer(registry);
    this.models = ModelDirectory.open(options, clock);
  }

  /**
   * Connects.
   *
   * @throws ClientException if no broker answers
   */
  public static LensflowClient open(ClientOptions options) {
    return new LensflowClient(options, Clock.systemUTC());
  }

  /** Which models are served now. Shared; closed with the client. */
  public ModelDirectory models() {
    return models;
  }

  /**
   * Sends a request and waits until the broker has stored it.
   *
   * @param request what to do; an empty id, a missing creation time are filled in
   * @return the request as sent, and from where to follow it
   * @throws ClientException if it asks for a lens or a metric that is not served, or could not be
   *     stored
   */
  public Submission submit(PromptRequest request) {
    return submit(request, null);
  }

  /**
   * As {@link #submit(PromptRequest)}, under the caller's trace.
   *
   * @param traceparent W3C trace context, carried to every result; null for none
   */
  public Submission submit(PromptRequest request, String traceparent) {
    return submit(request, traceparent, () -> models.requestTopicFor(request.getModel()));
  }

  /**
   * As {@link #submit(PromptRequest)}, to the model's batch lane: workers run it behind the
   * requests of people.
   *
   * @throws ClientException also if no live worker serves a batch lane of the model
   */
  public Submission submitToBatchLane(PromptRequest request) {
    String model = request.getModel();
    return submit(
        request,
        null,
        () ->
            models
                .model(model)
                .flatMap(ServedModel::batchTopic)
                .orElseThrow(
                    () ->
                        new ClientException(
                            "no live worker serves the batch lane of the model '%s'; create its topic (lensflow topics create --model %s) and start a worker with lensflow.worker.batch.slots over 0"
                                .formatted(model, model))));
  }

  private Submission submit(PromptRequest request, String traceparent, Supplier<String> where) {
    checkLenses(request, Integer.MAX_VALUE);
    PromptRequest sent = PromptRequest.newBuilder(request).build();
    if (sent.getRequestId().isEmpty()) {
      sent.setRequestId(Ids.newId());
    }
    models.awaitReady(options.connectTimeout());
    models
        .model(sent.getModel())
        .filter(model -> model.vocabularySize() > 0)
        .ifPresent(model -> checkLenses(sent, model.vocabularySize()));
    String topic = where.get();
    Map<TopicPartition, Long> start = endsFor(sent.getRequestId());
    if (sent.getCreatedAt().equals(Instant.EPOCH)) {
      sent.setCreatedAt(clock.instant().truncatedTo(ChronoUnit.MICROS));
    }
    RecordMetadata stored = send(topic, sent.getRequestId(), sent, traceparent);
    return new Submission(sent, topic, stored.offset(), start);
  }

  private static void checkLenses(PromptRequest request, int vocabularySize) {
    for (int i = 0; i < request.getLenses().size(); i++) {
      String lens = "lenses[%d].".formatted(i);
      ServedLenses.refusal(request.getLenses().get(i), vocabularySize)
          .ifPresent(
              refusal -> {
                throw new ClientException(lens + refusal.field() + ": " + refusal.message());
              });
    }
  }

  /**
   * Asks the workers to stop a request. Its terminal event tells whether that came in time.
   *
   * @param reason why, for the terminal event; may be empty
   */
  public void cancel(String requestId, String reason) {
    RequestControl order =
        RequestControl.newBuilder()
            .setRequestId(requestId)
            .setType(ControlType.CANCEL)
            .setCreatedAt(clock.instant().truncatedTo(ChronoUnit.MICROS))
            .setReason(reason)
            .build();
    send(options.catalogue().requestControl(), requestId, order, null);
  }

  /** Follows requests as they happen. Close the stream after use. */
  public LiveStream live(Subscription subscription) {
    return new LiveStream(tail(subscription), subscription);
  }

  /** Follows requests as they stand in the end. Close the stream after use. */
  public SettledStream settled(Subscription subscription) {
    Instant now = clock.instant();
    return new SettledStream(tail(subscription), subscription, now);
  }

  /**
   * Sends a request and waits for all of its settled results.
   *
   * @throws WaitTimeoutException if they are not all there in time
   */
  public SettledRequest run(PromptRequest request, Duration timeout) {
    try (SettledStream stream = settled(Subscription.to(submit(request)))) {
      return SettledRequest.gather(stream, timeout);
    }
  }

  private RequestTail tail(Subscription subscription) {
    Set<ResultTopic> topics = EnumSet.of(ResultTopic.COMPLETIONS, ResultTopic.LENS_RESULTS);
    if (subscription.chunks()) {
      topics.add(ResultTopic.ACTIVATIONS);
    }
    return RequestTail.open(
        connections.consumer(),
        registry,
        options.catalogue(),
        topics,
        subscription.requestId(),
        subscription.start(),
        record ->
            subscription.requestId().map(record.requestId()::equals).orElse(true)
                && subscription.model().map(record.model()::equals).orElse(true));
  }

  /** Where the topics of results end now, in the partition of a request. */
  private Map<TopicPartition, Long> endsFor(String requestId) {
    Map<TopicPartition, OffsetSpec> query = new HashMap<>();
    for (ResultTopic kind : ResultTopic.values()) {
      String topic = kind.in(options.catalogue());
      query.put(
          new TopicPartition(topic, Partitions.of(requestId, partitionCount(topic))),
          OffsetSpec.latest());
    }
    var ends =
        get(
            admin.listOffsets(query, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all(),
            "the ends of the topics of results cannot be read");
    Map<TopicPartition, Long> offsets = new HashMap<>();
    ends.forEach((partition, end) -> offsets.put(partition, end.offset()));
    return offsets;
  }

  private int partitionCount(String topic) {
    return partitionCounts.computeIfAbsent(
        topic,
        name ->
            get(
                    admin.describeTopics(Set.of(name)).allTopicNames(),
                    "the topic '%s' cannot be read; create the topics first (lensflow topics create), or check the topic prefix"
                        .formatted(name))
                .get(name)
                .partitions()
                .size());
  }

  private RecordMetadata send(String topic, String key, SpecificRecord value, String traceparent) {
    ProducerRecord<String, SpecificRecord> record =
        LensflowHeaders.record(topic, key, value, traceparent);
    Future<RecordMetadata> sent;
    try {
      sent = producer.send(record);
    } catch (KafkaException e) {
      throw refused(topic, e);
    }
    return get(sent, "a record could not be written to '%s'".formatted(topic));
  }

  private <T> T get(org.apache.kafka.common.KafkaFuture<T> future, String what) {
    return get(future.toCompletionStage().toCompletableFuture(), what);
  }

  private <T> T get(Future<T> future, String what) {
    try {
      return future.get(2 * options.connectTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientException(what + ": interrupted", e);
    } catch (TimeoutException e) {
      throw new ClientException(
          "%s: the broker at %s does not answer".formatted(what, options.bootstrapServers()), e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RecordTooLargeException) {
        throw new ClientException(
            what + ": it is larger than the topic takes; shorten the prompt", e.getCause());
      }
      throw new ClientException(what + ": " + e.getCause().getMessage(), e.getCause());
    }
  }

  private static ClientException refused(String topic, KafkaException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return new ClientException(
        "a record could not be written to '%s': %s".formatted(topic, cause.getMessage()), e);
  }

  @Override
  public void close() {
    models.close();
    producer.close(options.connectTimeout());
    admin.close(options.connectTimeout());
  }
}
