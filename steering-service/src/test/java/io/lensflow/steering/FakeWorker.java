package io.lensflow.steering;

import io.lensflow.records.Accepted;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.CompletionEvent;
import io.lensflow.records.CompletionType;
import io.lensflow.records.ElementType;
import io.lensflow.records.Finished;
import io.lensflow.records.HookPoint;
import io.lensflow.records.LensRequest;
import io.lensflow.records.LensResult;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.records.SteeringRequest;
import io.lensflow.records.TargetMetrics;
import io.lensflow.records.VectorVersion;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.testkit.KafkaEnvironment;
import io.lensflow.text.spec.LayerSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Says what a worker and a decoder would, without a model: every request's row is made of its token
 * ids, so that equal requests have equal rows, and a token's logit is {@link #logit}. It answers as
 * many requests as a test allows.
 */
final class FakeWorker implements AutoCloseable {
  static final String MODEL = "fake";
  static final String REVISION = "r1";
  static final int LAYERS = 4;
  static final int HIDDEN_SIZE = 2;
  static final int SLOTS = 2;

  private static final long BEAT_NANOS = Duration.ofSeconds(1).toNanos();

  private final TopicCatalogue names;
  private final Topics topics;
  private final Semaphore permits = new Semaphore(0);
  private final List<String> seen = new CopyOnWriteArrayList<>();
  private final List<String> cancelled = new CopyOnWriteArrayList<>();
  private final List<PromptRequest> requests = new CopyOnWriteArrayList<>();
  private final Set<VectorVersion> vectors = new LinkedHashSet<>();
  private final Deque<PromptRequest> waiting = new ArrayDeque<>();
  private final Thread thread = new Thread(this::run, "fake-worker");
  private volatile boolean closed;
  private volatile int answered;
  private volatile Throwable failure;

  FakeWorker(KafkaEnvironment kafka) {
    this.names = kafka.catalogue();
    this.topics = new Topics(kafka);
    thread.start();
  }

  /** Lets it answer so many more requests. */
  void allow(int more) {
    permits.release(more);
  }

  /** Ids of all request records, in the order they came; one that was sent twice is there twice. */
  List<String> seen() {
    checkAlive();
    return seen;
  }

  /** All requests, in the order they came. */
  List<PromptRequest> requests() {
    checkAlive();
    return requests;
  }

  /** Ids of all requests that somebody cancelled. */
  List<String> cancelled() {
    checkAlive();
    return cancelled;
  }

  /** How many requests it has answered. */
  int answered() {
    checkAlive();
    return answered;
  }

  private void checkAlive() {
    if (failure != null) {
      throw new AssertionError("the fake worker failed", failure);
    }
  }

  private void run() {
    var decoder = topics.clients().deserializer(PromptRequest.class);
    var orders = topics.clients().deserializer(RequestControl.class);
    try (KafkaConsumer<byte[], byte[]> consumer =
        topics.clients().bytesConsumer(Map.of("auto.offset.reset", "earliest"))) {
      consumer.assign(
          List.of(names.promptRequests(), names.requestControl(), names.steeringVectors()).stream()
              .flatMap(topic -> consumer.partitionsFor(topic).stream())
              .map(info -> new TopicPartition(info.topic(), info.partition()))
              .toList());
      consumer.seekToBeginning(consumer.assignment());
      long nextBeat = System.nanoTime();
      while (!closed) {
        if (System.nanoTime() - nextBeat >= 0) {
          beat();
          nextBeat = System.nanoTime() + BEAT_NANOS;
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(20))) {
          if (record.topic().equals(names.requestControl())) {
            cancelled.add(orders.deserialize(record.topic(), record.value()).getRequestId());
          } else if (record.topic().equals(names.steeringVectors())) {
            load(record);
            nextBeat = System.nanoTime();
          } else {
            PromptRequest request = decoder.deserialize(record.topic(), record.value());
            seen.add(request.getRequestId());
            requests.add(request);
            waiting.add(request);
          }
        }
        while (!waiting.isEmpty() && permits.tryAcquire()) {
          answer(waiting.remove());
          answered++;
        }
      }
    } catch (RuntimeException | Error e) {
      failure = e;
    }
  }

  /** A version counts as loaded when its manifest is there. */
  private void load(ConsumerRecord<byte[], byte[]> record) {
    String[] key = new String(record.key(), StandardCharsets.UTF_8).split("[/@]");
    if (key.length == 3 && record.value() != null) {
      vectors.add(new VectorVersion(key[1], Integer.parseInt(key[2])));
    }
  }

  private void beat() {
    topics.write(
        names.workers(),
        "fake-worker",
        WorkerHeartbeat.newBuilder()
            .setWorker("fake-worker")
            .setIncarnation("1")
            .setModel(MODEL)
            .setRevision(REVISION)
            .setLayers(LAYERS)
            .setHiddenSize(HIDDEN_SIZE)
            .setVocabularySize(2000)
            .setMaxContext(512)
            .setRequestTopics(List.of(names.promptRequests()))
            .setSlots(SLOTS)
            .setVectors(List.copyOf(vectors))
            .build());
  }

  private void answer(PromptRequest request) {
    String attempt = Ids.newId();
    event(request, attempt, CompletionType.ACCEPTED);
    int sequence = 0;
    for (HookPoint hookPoint : request.getCapture().getHookPoints()) {
      topics.write(
          names.activations(),
          request.getRequestId(),
          chunk(request, attempt, sequence, hookPoint));
      if (!request.getLenses().isEmpty()) {
        topics.write(
            names.lensResults(),
            request.getRequestId(),
            result(request, attempt, sequence, hookPoint));
      }
      sequence++;
    }
    CompletionEvent finished = completion(request, attempt, CompletionType.FINISHED);
    finished.setFinished(
        Finished.newBuilder()
            .setChunks(sequence)
            .setLenses(request.getLenses().stream().map(LensRequest::getName).toList())
            .build());
    topics.write(names.completions(), request.getRequestId(), finished);
  }

  private void event(PromptRequest request, String attempt, CompletionType type) {
    CompletionEvent event = completion(request, attempt, type);
    event.setAccepted(Accepted.newBuilder().build());
    topics.write(names.completions(), request.getRequestId(), event);
  }

  private static CompletionEvent completion(
      PromptRequest request, String attempt, CompletionType type) {
    return CompletionEvent.newBuilder()
        .setRequestId(request.getRequestId())
        .setAttemptId(attempt)
        .setType(type)
        .setModel(MODEL)
        .build();
  }

  private static ActivationChunk chunk(
      PromptRequest request, String attempt, int sequence, HookPoint hookPoint) {
    List<Integer> ids = request.getPrompt().getTokenIds();
    List<Integer> layers = LayerSpec.resolve(request.getCapture().getLayers(), LAYERS);
    ByteBuffer payload =
        ByteBuffer.allocate(Float.BYTES * HIDDEN_SIZE * layers.size())
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int layer : layers) {
      payload.putFloat(ids.get(ids.size() - 1));
      payload.putFloat(layer + 1 + (ids.hashCode() * 0x9E3779B9 >>> 24) / 16f);
    }
    payload.flip();
    CRC32C crc = new CRC32C();
    crc.update(payload.duplicate());
    int position = ids.size() - 1;
    return ActivationChunk.newBuilder()
        .setRequestId(request.getRequestId())
        .setAttemptId(attempt)
        .setSequence(sequence)
        .setModel(MODEL)
        .setRevision(REVISION)
        .setHookPoint(hookPoint)
        .setLayers(layers)
        .setPositions(List.of(position))
        .setTokenIds(List.of(ids.get(position)))
        .setDtype(ElementType.FLOAT32)
        .setShape(List.of(layers.size(), 1, HIDDEN_SIZE))
        .setPayload(payload)
        .setCrc32c(crc.getValue())
        .build();
  }

  /** Steering lifts even tokens by the sum of its multipliers, and lowers odd ones. */
  static float logit(int token, List<SteeringRequest> steering) {
    double sum = steering.stream().mapToDouble(SteeringRequest::getMultiplier).sum();
    return (float) (token % 7 + (token % 2 == 0 ? sum : -sum));
  }

  private static LensResult result(
      PromptRequest request, String attempt, int sequence, HookPoint hookPoint) {
    List<Integer> ids = request.getPrompt().getTokenIds();
    List<Integer> targets = request.getLenses().get(0).getTargetIds();
    List<Float> logits =
        targets.stream().map(token -> logit(token, request.getSteering())).toList();
    return LensResult.newBuilder()
        .setRequestId(request.getRequestId())
        .setAttemptId(attempt)
        .setSequence(sequence)
        .setParts(1)
        .setModel(MODEL)
        .setRevision(REVISION)
        .setLens(request.getLenses().get(0).getName())
        .setHookPoint(hookPoint)
        .setLayers(List.of(LAYERS - 1))
        .setPositions(List.of(ids.size() - 1))
        .setTokenIds(List.of(ids.get(ids.size() - 1)))
        .setTopK(0)
        .setTargets(
            TargetMetrics.newBuilder()
                .setTargetsPerRow(targets.size())
                .setIds(targets)
                .setLogits(logits)
                .setLogProbabilities(logits)
                .setRanks(targets)
                .build())
        .build();
  }

  @Override
  public void close() {
    closed = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    topics.close();
  }
}
