package io.lensflow.decoder.replay;

import io.lensflow.decoder.DecoderMetrics;
import io.lensflow.decoder.LensHeadDecoder;
import io.lensflow.decoder.batch.KernelThread;
import io.lensflow.decoder.batch.WorkPlanner;
import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.delivery.ReplayLoop;
import io.lensflow.decoder.lens.ResultWriter;
import io.lensflow.decoder.lens.TokenTexts;
import io.lensflow.decoder.log.LogRange;
import io.lensflow.decoder.log.LogScan;
import io.lensflow.decoder.vector.VectorProjector;
import io.lensflow.decoder.vector.VectorSource;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.LensRequest;
import io.lensflow.records.LensResult;
import io.lensflow.schemas.ids.Ids;
import io.lensflow.schemas.ids.Partitions;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.topics.TopicCatalogue;
import io.lensflow.service.KafkaClients;
import io.lensflow.text.Tokenizer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Decodes rows again, from the log, through other lenses than their requests asked for. It has a
 * consumer, a head and threads of its own; the live flow meets it only at the broker and, on the
 * same machine, at the processors, of which it takes no more than its share.
 *
 * <p>Its results are identified like all others, by request, attempt, sequence, lens and part: a
 * replay that is broken off and begun anew writes them a second time, unlike the decoder.
 */
public final class Replay {
  /**
   * Clocks of a client and of the broker differ; a request's rows are looked for from so far
   * before.
   */
  private static final Duration CLOCK_MARGIN = Duration.ofMinutes(10);

  private final ReplayPlan plan;
  private final KafkaClients clients;
  private final TopicCatalogue topics;
  private final BiConsumer<Long, Long> progress;
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final Map<String, BitSet> found = new HashMap<>();
  private long results;
  private long gaps;
  private long rows;
  private volatile RuntimeException sendFailure;

  private Replay(ReplayPlan plan, KafkaClients clients, BiConsumer<Long, Long> progress) {
    this.plan = plan;
    this.clients = clients;
    this.topics = clients.settings().catalogue();
    this.progress = progress;
  }

  /**
   * Carries out a plan.
   *
   * @param progress told how many records of how many were read
   * @throws IllegalArgumentException if the plan names a topic or a lens that it cannot have
   * @throws IOException if checkpoint or lens files cannot be read; says what is wrong
   * @throws KafkaException if Kafka cannot be read or written
   */
  public static ReplayOutcome run(
      ReplayPlan plan, KafkaClients clients, BiConsumer<Long, Long> progress)
      throws IOException, InterruptedException {
    return new Replay(plan, clients, progress).run();
  }

  private ReplayOutcome run() throws IOException, InterruptedException {
    Set<String> names =
        plan.lenses().stream().map(LensRequest::getName).collect(Collectors.toSet());
    List<Path> files = LensFiles.find(plan.lensFiles(), names);
    try (Admin admin = clients.admin()) {
      ReplayTopic.prepare(admin, topics, plan.topic());
    }
    ProcessorShare share = ProcessorShare.ofThisProcess(plan.share() * plan.threads());
    long begin = System.nanoTime();
    long spent = ProcessorShare.spentByThisProcess();
    // The kernel thread ends before the translators go that it uses.
    try (Tokenizer tokenizer = Tokenizer.load(plan.checkpoint());
        LensFiles lenses = new LensFiles();
        KernelThread kernel =
            KernelThread.start(
                () -> {
                  LensHeadDecoder head = LensHeadDecoder.load(plan.checkpoint(), plan.threads());
                  lenses.load(files, head.config(), plan.model(), head.revision());
                  return head;
                },
                plan.batchRows(),
                1);
        LogScan scan = LogScan.open(clients, "lensflow-replay", topics.activations(), range());
        Producer<String, SpecificRecord> producer = clients.producer(Map.of())) {
      requireLenses(lenses);
      loop(scan, tokenizer, kernel, lenses, share, producer).run();
      producer.flush();
      throwIfUnsent();
      return new ReplayOutcome(
          plan.topic(),
          (long) meters.get("lensflow.decoder.chunks.decoded").counter().count(),
          rows,
          results,
          gaps,
          (long) meters.get("lensflow.decoder.canary.mismatches").counter().count(),
          scan.holes(),
          missing(),
          Duration.ofNanos(System.nanoTime() - begin),
          Duration.ofNanos(ProcessorShare.spentByThisProcess() - spent));
    }
  }

  private ReplayLoop loop(
      LogScan scan,
      Tokenizer tokenizer,
      KernelThread kernel,
      LensFiles lenses,
      ProcessorShare share,
      Producer<String, SpecificRecord> producer) {
    Checkpoint checkpoint =
        new Checkpoint(plan.model(), kernel.revision(), tokenizer.hash(), kernel.config());
    int maxTopK = plan.lenses().stream().mapToInt(LensRequest::getTopK).max().orElse(0);
    return new ReplayLoop(
        scan,
        wanted(),
        throughOurLenses(clients.deserializer(ActivationChunk.class)),
        new WorkPlanner(
            checkpoint,
            kernel.fastest(),
            lenses,
            new VectorProjector(VectorSource.NONE, kernel.config().hiddenSize())),
        Math.max(1, maxTopK),
        kernel,
        plan.batchRows(),
        new ResultWriter(
            new TokenTexts(kernel.config().vocabularySize(), tokenizer::decode),
            plan.maxResultBytes(),
            Clock.systemUTC()),
        topics,
        new DecoderMetrics(meters),
        share::pauseNanos,
        new Sender(scan, producer),
        System::nanoTime);
  }

  /** Where the request's records lie, or all that the plan says. */
  private LogRange range() {
    if (plan.requestId().isEmpty()) {
      return plan.range();
    }
    String id = plan.requestId().get();
    LogRange range = plan.range().in(Partitions.of(id, topics.requestPartitions()));
    return Ids.timeOf(id).map(time -> range.from(time.minus(CLOCK_MARGIN))).orElse(range);
  }

  private Predicate<ConsumerRecord<byte[], byte[]>> wanted() {
    return record ->
        plan.requestId().isEmpty()
            || LensflowHeaders.get(record.headers(), LensflowHeaders.REQUEST)
                .equals(plan.requestId());
  }

  private Deserializer<ActivationChunk> throughOurLenses(Deserializer<ActivationChunk> chunks) {
    return (topic, bytes) -> {
      ActivationChunk chunk = chunks.deserialize(topic, bytes);
      if (chunk != null) {
        chunk.setLenses(plan.lenses());
      }
      return chunk;
    };
  }

  private void requireLenses(LensFiles lenses) {
    for (LensRequest lens : plan.lenses()) {
      if (lenses.find(lens.getName()).isEmpty()) {
        throw new IllegalArgumentException(
            "there is no lens '%s' in %s".formatted(lens.getName(), plan.lensFiles()));
      }
    }
  }

  private List<String> missing() {
    if (plan.requestId().isEmpty()) {
      return List.of();
    }
    Map<String, Integer> chunks = RequestChunks.read(clients, plan.requestId().get(), range());
    return chunks.entrySet().stream()
        .map(
            attempt ->
                RequestChunks.missing(
                    attempt.getKey(),
                    attempt.getValue(),
                    found.getOrDefault(attempt.getKey(), new BitSet())))
        .flatMap(Optional::stream)
        .toList();
  }

  private void throwIfUnsent() {
    if (sendFailure != null) {
      throw sendFailure;
    }
  }

  /** Sends results to the plan's topic and counts them. */
  private final class Sender implements ReplayLoop.Sink {
    private final LogScan scan;
    private final Producer<String, SpecificRecord> producer;

    Sender(LogScan scan, Producer<String, SpecificRecord> producer) {
      this.scan = scan;
      this.producer = producer;
    }

    @Override
    public void result(ProducerRecord<String, SpecificRecord> record, LensResult result) {
      throwIfUnsent();
      if (result.getGap() == null) {
        results++;
        rows += (long) result.getLayers().size() * result.getPositions().size();
        found
            .computeIfAbsent(result.getAttemptId(), attempt -> new BitSet())
            .set(result.getSequence());
      } else {
        gaps++;
      }
      producer.send(
          new ProducerRecord<>(plan.topic(), null, record.key(), record.value(), record.headers()),
          (metadata, exception) -> {
            if (exception != null) {
              sendFailure =
                  new KafkaException(
                      "a result could not be written to '%s': %s"
                          .formatted(plan.topic(), exception.getMessage()),
                      exception);
            }
          });
    }

    @Override
    public void turned() {
      progress.accept(scan.total() - scan.remaining(), scan.total());
    }
  }
}
