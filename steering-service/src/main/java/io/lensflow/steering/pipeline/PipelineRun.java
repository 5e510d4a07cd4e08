package io.lensflow.steering.pipeline;

import io.lensflow.client.ModelDirectory;
import io.lensflow.client.ServedModel;
import io.lensflow.client.follow.RequestTail;
import io.lensflow.client.follow.ResultTopic;
import io.lensflow.client.follow.SettledEvent;
import io.lensflow.client.follow.SettledStream;
import io.lensflow.client.follow.StartingPoint;
import io.lensflow.client.follow.Subscription;
import io.lensflow.records.ControlType;
import io.lensflow.records.Failure;
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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
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
 * One run of requests: what is still to be sent, what is on its way, what has come. Used by one
 * thread.
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

  private static final int MAX_REPEATS = 2;

  private final KafkaClients clients;
  private final TopicCatalogue topics;
  private final Producer<String, SpecificRecord> producer;
  private final ModelDirectory models;
  private final PipelineSettings settings;
  private final Clock clock;
  private final JobContext job;
  private final PipelineRequests requests;
  private final AnswerSink sink;
  private final RequestIds ids;
  private final SettledStream stream;

  private final Map<String, Integer> indexOf = new HashMap<>();
  private final int[] repeats;
  private final Deque<Integer> unsent = new ArrayDeque<>();

  /** Ids on their way, the earliest first, and until when an answer can come. */
  private final Map<String, Instant> inFlight = new LinkedHashMap<>();

  private final Map<String, Gathering> gatherings = new HashMap<>();
  private int answered;
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
    this.sink = sink;
    this.ids = new RequestIds(job.jobId(), job.createdAt());
    this.repeats = new int[requests.count()];
    for (int index = 0; index < requests.count(); index++) {
      indexOf.put(id(index), index);
      unsent.add(index);
    }
    this.stream = open();
  }

  private String id(int index) {
    return ids.of(requests.series(), index, repeats[index]);
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
            record -> indexOf.containsKey(record.requestId()));
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
    while (answered < requests.count()) {
      job.checkStopped();
      fill();
      stream.next(POLL).ifPresent(this::take);
      expire();
    }
  }

  /** What an earlier run sent is on its way, as far as this one can know. */
  private void recall(ServedModel model) {
    Instant since = job.createdAt().minus(SKEW);
    Set<String> sent = SentRequests.on(clients, lanes(model), since, id -> indexOf.containsKey(id));
    Instant expiry = clock.instant().plus(settings.deadline()).plus(GRACE);
    sent.forEach(id -> inFlight.put(id, expiry));
    unsent.removeIf(index -> sent.contains(id(index)));
    log.info(
        "job={} goes on: {} of {} requests were sent", job.jobId(), sent.size(), repeats.length);
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
    while (inFlight.size() < window && !unsent.isEmpty()) {
      writes.add(send(unsent.remove(), lane(model.get())));
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
    String id = id(index);
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    PromptRequest request = PromptRequest.newBuilder(requests.make().apply(index)).build();
    request.setRequestId(id);
    request.setCreatedAt(now);
    request.setDeadline(now.plus(settings.deadline()));
    request.setModel(job.model());
    request.setPolicies(PolicyUse.IGNORE);
    Map<String, String> labels = new HashMap<>(request.getLabels());
    labels.put("job", job.jobId());
    request.setLabels(labels);
    inFlight.put(id, request.getDeadline().plus(GRACE));
    return producer.send(LensflowHeaders.record(topic, id, request, null));
  }

  private void take(SettledEvent event) {
    String id = event.requestId();
    if (event instanceof SettledEvent.Outcome ended) {
      gatherings.put(id, new Gathering(ended));
    } else if (event instanceof SettledEvent.Results rows) {
      gatherings.get(id).results.add(rows.result());
    } else if (event instanceof SettledEvent.Chunk rows) {
      gatherings.get(id).chunks.add(rows.chunk());
    } else if (event instanceof SettledEvent.Lost gap) {
      gatherings.get(id).loss = gap.gap().getGap().getReason();
    } else if (event instanceof SettledEvent.Abandoned given) {
      gatherings.remove(id);
      repeat(id, given.reason());
    } else {
      Gathering complete = gatherings.remove(id);
      if (complete.loss == null) {
        answer(id, complete.answer());
      } else {
        repeat(id, complete.loss);
      }
    }
  }

  private void answer(String id, Answer answer) {
    Integer index = indexOf.remove(id);
    if (inFlight.remove(id) == null) {
      unsent.remove(index); // answered before this run knew that it had been sent
    }
    answered++;
    sink.take(index, answer);
  }

  /** Its rows are gone: ask for them anew, under another id. */
  private void repeat(String id, String reason) {
    int index = indexOf.get(id);
    if (repeats[index] == MAX_REPEATS) {
      answer(id, Answer.failed(null, new Failure("ROWS_LOST", reason, null)));
      return;
    }
    log.warn("job={} request={} is asked again: {}", job.jobId(), id, reason);
    inFlight.remove(id);
    indexOf.remove(id);
    repeats[index]++;
    indexOf.put(id(index), index);
    unsent.addFirst(index);
  }

  private void expire() {
    Instant now = clock.instant();
    Iterator<Map.Entry<String, Instant>> oldest = inFlight.entrySet().iterator();
    while (oldest.hasNext()) {
      Map.Entry<String, Instant> first = oldest.next();
      if (first.getValue().isAfter(now)) {
        return;
      }
      gatherings.remove(first.getKey());
      answer(
          first.getKey(),
          Answer.failed(
              null, new Failure("DEADLINE_EXCEEDED", "no worker answered in time", null)));
      oldest = inFlight.entrySet().iterator();
    }
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
    for (String id : inFlight.keySet()) {
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
