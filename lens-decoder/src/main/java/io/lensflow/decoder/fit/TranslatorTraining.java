package io.lensflow.decoder.fit;

import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.log.LogScan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.lens.TranslatorInfo;
import io.lensflow.engine.lens.TranslatorWriter;
import io.lensflow.engine.lens.fit.FittedLayer;
import io.lensflow.engine.lens.fit.HeldOutReport;
import io.lensflow.engine.lens.fit.LayerReport;
import io.lensflow.engine.lens.fit.PairedRows;
import io.lensflow.engine.lens.fit.TranslatorFit;
import io.lensflow.engine.lens.fit.UnigramLens;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.records.ActivationChunk;
import io.lensflow.schemas.serde.LensflowHeaders;
import io.lensflow.schemas.serde.RecordFormatException;
import io.lensflow.service.KafkaClients;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Learns a translator from the activations topic: reads rows with a consumer of its own, so that
 * workers and decoders go on undisturbed, sums them, solves, writes the file, and measures it on
 * requests that it was not learned from.
 *
 * <p>One thread does all of it. Memory: {@link TranslatorFit#bytes} for the sums, the held-out rows
 * of all layers up to the plan's limit, at most 64 MiB each of last rows for the unigram lens, of
 * rows that wait for their counterparts and of the counterparts, then the translator itself, L·D²·4
 * bytes, and the head.
 */
public final class TranslatorTraining {
  private static final Duration POLL = Duration.ofMillis(250);

  private final FitPlan plan;
  private final KafkaClients clients;
  private final FitProgress progress;
  private final Clock clock;
  private Instant oldest = Instant.MAX;
  private Instant newest = Instant.MIN;

  private TranslatorTraining(
      FitPlan plan, KafkaClients clients, FitProgress progress, Clock clock) {
    this.plan = plan;
    this.clients = clients;
    this.progress = progress;
    this.clock = clock;
  }

  /**
   * Carries out a plan.
   *
   * @throws IOException if there are too few rows, or checkpoint or file cannot be read or written;
   *     says what would help
   */
  public static FitOutcome run(
      FitPlan plan, KafkaClients clients, FitProgress progress, Clock clock) throws IOException {
    return new TranslatorTraining(plan, clients, progress, clock).run();
  }

  private FitOutcome run() throws IOException {
    Checkpoint checkpoint = checkpoint();
    ModelConfig model = checkpoint.config();
    SortedSet<Integer> layers = new TreeSet<>();
    // The last layer's residual stream is the target itself.
    boolean identity = plan.hookPoint() == HookPoint.RESIDUAL_POST;
    IntStream.range(0, identity ? model.layers() - 1 : model.layers()).forEach(layers::add);
    progress.say(
        "reading %d rows of %d layers; sums hold at most %d MB"
            .formatted(
                plan.rows(),
                layers.size(),
                TranslatorFit.bytes(layers.size(), model.hiddenSize()) / 1_000_000));
    try (TranslatorFit fit = new TranslatorFit(model.hiddenSize(), plan.threads())) {
      RowCollector rows = new RowCollector(plan, checkpoint, layers, fit);
      Instant begin = clock.instant();
      FitCounts counts = collect(rows);
      requireEnough(rows, fit, layers, model.hiddenSize());
      Instant read = clock.instant();
      SortedMap<Integer, FittedLayer> solved = new TreeMap<>();
      try {
        long trainingRows = layers.stream().mapToLong(fit::rows).min().orElseThrow();
        progress.say("solving");
        for (int layer : layers) {
          solved.put(layer, fit.solve(layer));
        }
        TranslatorInfo info = info(checkpoint, rows, trainingRows);
        write(info, solved, model.hiddenSize());
        Instant written = clock.instant();
        List<LayerReport> reports = measure(checkpoint, rows, solved);
        return new FitOutcome(
            plan.output(),
            info,
            trainingRows,
            rows.trainingRequests(),
            reports.stream().mapToLong(LayerReport::rows).min().orElse(0),
            rows.heldOut().requests(),
            positions(rows.trainingFinalRows().rows()),
            reports,
            counts,
            Duration.between(begin, read),
            Duration.between(read, written),
            Duration.between(written, clock.instant()));
      } finally {
        solved.values().forEach(FittedLayer::close);
      }
    }
  }

  private Checkpoint checkpoint() throws IOException {
    try (io.lensflow.engine.checkpoint.Checkpoint files =
            io.lensflow.engine.checkpoint.Checkpoint.open(plan.checkpoint());
        Tokenizer tokenizer = Tokenizer.load(plan.checkpoint())) {
      return new Checkpoint(
          plan.model(), files.revision(), tokenizer.hash(), files.config().model());
    }
  }

  private FitCounts collect(RowCollector rows) {
    Deserializer<ActivationChunk> deserializer = clients.deserializer(ActivationChunk.class);
    String topic = clients.settings().catalogue().activations();
    try (LogScan scan = LogScan.open(clients, "lensflow-lens-fit", topic, plan.range())) {
      Instant last = clock.instant();
      while (rows.rows() < plan.rows() && !scan.isAtEnd()) {
        long before = rows.rows();
        for (ConsumerRecord<byte[], byte[]> record : scan.poll(POLL)) {
          take(record, deserializer, rows);
        }
        progress.rows(Math.min(rows.rows(), plan.rows()), plan.rows());
        if (rows.rows() > before) {
          last = clock.instant();
        } else if (Duration.between(last, clock.instant()).compareTo(plan.patience()) > 0) {
          break;
        }
      }
      return rows.counts(scan.holes().stream().mapToLong(LogScan.Hole::records).sum());
    }
  }

  private void take(
      ConsumerRecord<byte[], byte[]> record,
      Deserializer<ActivationChunk> deserializer,
      RowCollector rows) {
    String model =
        LensflowHeaders.get(record.headers(), LensflowHeaders.MODEL).orElse(plan.model());
    if (!model.equals(plan.model())) {
      return;
    }
    try {
      ActivationChunk chunk = deserializer.deserialize(record.topic(), record.value());
      if (chunk != null && chunk.getModel().equals(plan.model())) {
        Instant time = Instant.ofEpochMilli(record.timestamp());
        oldest = time.isBefore(oldest) ? time : oldest;
        newest = time.isAfter(newest) ? time : newest;
        rows.take(chunk);
      }
    } catch (RecordFormatException e) {
      rows.refuse(
          "%s-%d offset %d: %s"
              .formatted(record.topic(), record.partition(), record.offset(), e.getMessage()));
    }
  }

  /** With fewer rows than unknowns of a row's map a translator is mostly the penalty's doing. */
  private void requireEnough(
      RowCollector rows, TranslatorFit fit, SortedSet<Integer> layers, int hiddenSize)
      throws IOException {
    long least = layers.stream().mapToLong(fit::rows).min().orElse(0);
    if (least < hiddenSize) {
      throw new IOException(
          ("layer %d of '%s' has %d rows of %s to learn from, fewer than its %d dimensions; run"
                  + " requests that capture all layers, read from further back with --from, or wait"
                  + " for them with --live")
              .formatted(
                  rows.poorestLayer(),
                  plan.model(),
                  least,
                  plan.hookPoint().fileName(),
                  hiddenSize));
    }
    if (rows.rows() < plan.rows()) {
      progress.say(
          "there were only %d of %d rows; going on with these".formatted(rows.rows(), plan.rows()));
    }
  }

  private TranslatorInfo info(Checkpoint checkpoint, RowCollector rows, long trainingRows) {
    return new TranslatorInfo(
        plan.name(),
        TranslatorInfo.Kind.AFFINE,
        checkpoint.model(),
        checkpoint.revision(),
        plan.hookPoint(),
        "least squares towards RESIDUAL_POST of layer %d, ridge %s of the mean variance"
            .formatted(checkpoint.config().layers() - 1, TranslatorFit.RIDGE),
        "%d rows of %d requests, positions from 1 on, appended %s … %s; held out: share %s, seed %d"
            .formatted(
                trainingRows,
                rows.trainingRequests(),
                oldest.truncatedTo(ChronoUnit.SECONDS),
                newest.truncatedTo(ChronoUnit.SECONDS),
                plan.heldOut(),
                plan.seed()),
        clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
  }

  private void write(TranslatorInfo info, SortedMap<Integer, FittedLayer> layers, int hiddenSize)
      throws IOException {
    TranslatorWriter writer = new TranslatorWriter(info, hiddenSize);
    layers.forEach((index, layer) -> writer.add(index, layer.weightBytes(), layer.biasBytes()));
    writer.write(plan.output());
  }

  private List<LayerReport> measure(
      Checkpoint checkpoint, RowCollector rows, Map<Integer, FittedLayer> layers)
      throws IOException {
    List<PairedRows> heldOut = rows.heldOut().rows();
    if (heldOut.isEmpty()) {
      progress.say("no request fell into the held-out share: there is nothing to measure on");
      return List.of();
    }
    progress.say("measuring on %d held-out rows".formatted(positions(heldOut)));
    List<HeldOutReport.Sample> samples = new ArrayList<>();
    int unigramTop;
    try (UnigramLens unigram = UnigramLens.load(plan.checkpoint(), plan.threads())) {
      for (PairedRows block : rows.trainingFinalRows().rows()) {
        unigram.add(block.finalRows(), block.dtype(), block.n());
      }
      for (PairedRows block : heldOut) {
        samples.add(
            new HeldOutReport.Sample(
                block, unigram.kl(block.finalRows(), block.dtype(), block.n())));
      }
      unigramTop = unigram.topId();
    }
    LensHeadOptions options = LensHeadOptions.defaults().withThreads(plan.threads());
    try (LensHead head = LensHead.load(plan.checkpoint(), options);
        LensTranslator fitted =
            LensTranslator.load(
                plan.output(), checkpoint.config(), checkpoint.model(), checkpoint.revision());
        HeldOutReport report = new HeldOutReport(head, fitted, layers)) {
      return report.compare(samples, unigramTop, done -> progress.measuring(done, samples.size()));
    }
  }

  private static long positions(List<PairedRows> rows) {
    return rows.stream().mapToLong(PairedRows::n).sum();
  }
}
