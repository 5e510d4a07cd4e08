package io.lensflow.steering.pipeline;

import io.lensflow.client.ModelDirectory;
import io.lensflow.client.ServedModel;
import io.lensflow.client.follow.RequestTail;
import io.lensflow.client.follow.ResultTopic;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.StartingPoint;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.ControlType;
import io.lensflow.records.PolicyUse;
import io.lensflow.records.PromptRequest;
import io.lensflow.records.RequestControl;
import io.lensflow.records.WorkerHeartbeat;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.steering.job.JobContext;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RetriableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of requests: sends them, and reads what comes of them. Used by one thread.
 *
 * <p>A run that goes on after another looks at the request topics first. What stands there is not
 * sent again: it has been answered, and the answer is read from where the job began, or it waits
 * for a worker still. So nothing is computed twice.
 */
final class PipelineRun implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PipelineRun.class);
  private static final Duration POLL = Duration.ofMillis(200);

  /** How far clocks of producers may be apart. */
  private static final Duration SKEW = Duration.ofSeconds(30);

  /** A request that has begun and is silent for so long has lost its rows, and is asked again. */
  private static final Duration SILENCE = Duration.ofMinutes(2);

  /** Nobody answered, though every worker that sees a request past its deadline says so. */
  private static final Duration GRACE = Duration.ofMinutes(1);

  private final KafkaClients clients;
  private final TopicCatalogue topics;
  private final Producer<String, SpecificRecord> producer;
  private final ModelDirectory models;
  private final PipelineSettings settings;
  private final Clock clock;
  private final JobContext job;
  private final PipelineRequests requests;
  private final RunLedger ledger;
  private final SettledStream stream;
  private boolean left;

  PipelineRun(
      KafkaClients clients,
      Producer<String, SpecificRecord> producer,
      ModelDirectory models,
      PipelineSettings settings,
      Clock clock,
      JobContext job,
      PipelineRequests requests,
      AnswerSink sink) {
    this.clients = clients;
    this.topics = clients.settings().catalogue();
    this.producer = producer;
    this.models = models;
    this.settings = settings;
    this.clock = clock;
    this.job = job;
    this.requests = requests;
    RequestIds ids = new RequestIds(job.jobId(), job.createdAt());
    AnswerSink checked = new OneRevision(job.model(), requests.revision(), sink);
    this.ledger = new RunLedger(ids, requests.series(), requests.count(), checked);
    this.stream = open();
  }

  /** Results from now on, or from where the job began. */
  private SettledStream open() {
    Instant begin = job.createdAt().minus(SKEW);
    StartingPoint start = job.resumed() ? new StartingPoint.At(begin) : new StartingPoint.Latest();
    Subscription subscription = Subscription.toAll(start).withAbandonAfter(SILENCE);
    Set<ResultTopic> read = EnumSet.of(ResultTopic.COMPLETIONS, ResultTopic.LENS_RESULTS);
    if (requests.chunks()) {
      subscription = subscription.withChunks();
      read.add(ResultTopic.ACTIVATIONS);
    }
    KafkaConsumer<byte[], byte[]> consumer =
        clients.bytesConsumer(
            Map.of(
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                // A consumer cannot be closed before its last fetch is answered.
                ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 50));
    RequestTail tail =
        RequestTail.open(
            consumer,
            clients.registry(),
            topics,
            read,
            Optional.empty(),
            start,
            record -> ledger.awaits(record.requestId()));
    // Its ids hold the job's time, which may lie before the present.
    return new SettledStream(tail, subscription, begin);
  }

  /**
   * Runs to the last answer.
   *
   * @param model the model as it is served now
   */
  void execute(ServedModel model) {
    if (job.resumed()) {
      recall(model);
    }
    while (!ledger.isDone()) {
      job.checkStopped();
      fill();
      stream.next(POLL).ifPresent(ledger::take);
      ledger.expire(clock.instant());
    }
  }

  /** What an earlier run sent is on its way, as far as this one can know. */
  private void recall(ServedModel model) {
    Instant since = job.createdAt().minus(SKEW);
    Set<String> sent = SentRequests.on(clients, job, lanes(model), since, ledger::awaits);
    ledger.recall(sent, clock.instant().plus(settings.deadline()).plus(GRACE));
    log.info(
        "job={} goes on: {} of {} requests were sent",
        job.jobId(),
        ledger.inFlight().size(),
        requests.count());
  }

  /** Workers may have begun or ceased to serve the batch lane since. */
  private List<String> lanes(ServedModel model) {
    return List.of(model.requestTopic(), topics.promptRequestsBatch(model.name()));
  }

  private void fill() {
    Optional<ServedModel> model = models.model(job.model());
    if (model.isEmpty()) {
      return; // what is on its way waits for a worker, and so does the rest
    }
    int window = window(model.get());
    List<Future<RecordMetadata>> writes = new ArrayList<>();
    while (ledger.inFlight().size() < window && ledger.hasUnsent()) {
      writes.add(send(ledger.nextUnsent(), lane(model.get())));
    }
    writes.forEach(PipelineRun::await);
  }

  private int window(ServedModel model) {
    int slots = model.workers().stream().mapToInt(WorkerHeartbeat::getSlots).sum();
    long byBytes = settings.maxBytesInFlight() / Math.max(1, requests.rowBytes());
    return (int) Math.max(1, Math.min((long) settings.requestsPerSlot() * slots, byBytes));
  }

  private static String lane(ServedModel model) {
    return model.batchTopic().orElse(model.requestTopic());
  }

  private Future<RecordMetadata> send(int index, String topic) {
    String id = ledger.id(index);
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    PromptRequest request = PromptRequest.newBuilder(requests.make().apply(index)).build();
    request.setRequestId(id);
    request.setCreatedAt(now);
    request.setDeadline(now.plus(settings.deadline()));
    request.setModel(job.model());
    request.setRevision(requests.revision().isEmpty() ? null : requests.revision());
    request.setPolicies(PolicyUse.IGNORE);
    Map<String, String> labels = new HashMap<>(request.getLabels());
    labels.put("job", job.jobId());
    request.setLabels(labels);
    ledger.sent(index, request.getDeadline().plus(GRACE));
    return producer.send(LensflowHeaders.record(topic, id, request, null));
  }

  private static void await(Future<RecordMetadata> write) {
    try {
      write.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RetriableException later) {
        throw later;
      }
      throw new KafkaException(
          "a request could not be written: " + e.getCause().getMessage(), e.getCause());
    }
  }

  /** Leaves what is on its way to the run that goes on after this one. */
  void leave() {
    left = true;
  }

  /** Cancels what is still on its way, unless another run waits for it. */
  @Override
  public void close() {
    stream.close();
    if (left || job.isHandedOver()) {
      return;
    }
    for (String id : ledger.inFlight()) {
      RequestControl order =
          RequestControl.newBuilder()
              .setRequestId(id)
              .setType(ControlType.CANCEL)
              .setCreatedAt(clock.instant().truncatedTo(ChronoUnit.MICROS))
              .setReason("its job ended")
              .build();
      producer.send(LensflowHeaders.record(topics.requestControl(), id, order, null));
    }
    producer.flush();
  }
}
