package io.lensflow.decoder;

import io.lensflow.decoder.batch.KernelThread;
import io.lensflow.decoder.batch.RowDecoder;
import io.lensflow.decoder.batch.WorkPlanner;
import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.lens.LensShelf;
import io.lensflow.decoder.lens.LensSource;
import io.lensflow.decoder.lens.ShelfWatch;
import io.lensflow.decoder.lens.TokenTexts;
import io.lensflow.decoder.vector.VectorBook;
import io.lensflow.decoder.vector.VectorProjector;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.model.ModelConfig;
import io.lensflow.records.SteeringVector;
import io.lensflow.service.KafkaClients;
import io.lensflow.service.TopicTail;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * What the loop decodes with: tokenizer, head, lenses and vectors of one checkpoint, each with its
 * memory and its thread. Opened and closed by one thread.
 */
final class DecoderParts implements AutoCloseable {
  /**
   * One batch waits while one is decoded: enough to keep the kernel busy, and no row waits longer.
   */
  private static final int QUEUED_BATCHES = 1;

  private final Deque<Runnable> closing = new ArrayDeque<>();
  private Tokenizer tokenizer;
  private KernelThread kernel;
  private Checkpoint checkpoint;
  private WorkPlanner planner;

  private DecoderParts() {}

  /**
   * Loads everything.
   *
   * @param folder of the checkpoint
   * @param head loads the head, on the kernel thread
   * @throws IOException if something cannot be read; says what
   */
  static DecoderParts open(
      DecoderSettings settings,
      KafkaClients clients,
      DecoderMetrics metrics,
      Path folder,
      Callable<? extends RowDecoder> head)
      throws IOException, InterruptedException {
    DecoderParts parts = new DecoderParts();
    try {
      parts.load(settings, clients, metrics, folder, head);
      return parts;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  private void load(
      DecoderSettings settings,
      KafkaClients clients,
      DecoderMetrics metrics,
      Path folder,
      Callable<? extends RowDecoder> head)
      throws IOException, InterruptedException {
    tokenizer = Tokenizer.load(folder);
    closing.push(tokenizer::close);
    // Translators are closed after the kernel thread, which uses them.
    Deque<Runnable> afterKernel = new ArrayDeque<>();
    closing.push(() -> afterKernel.forEach(Runnable::run));
    kernel = KernelThread.start(head, settings.batchRows(), QUEUED_BATCHES);
    closing.push(kernel::close);
    checkpoint =
        new Checkpoint(settings.model(), kernel.revision(), tokenizer.hash(), kernel.config());
    LensSource lenses = lenses(settings.lenses(), metrics, afterKernel);
    VectorBook vectors =
        new VectorBook(
            checkpoint,
            clients.deserializer(SteeringVector.class),
            settings.lenses().maxVectorBytes());
    TopicTail tail =
        TopicTail.start(
            "vector-tail",
            List.of(clients.settings().catalogue().steeringVectors()),
            () ->
                clients.bytesConsumer(
                    Map.of(
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest")),
            vectors);
    closing.push(tail::close);
    planner =
        new WorkPlanner(
            checkpoint,
            kernel.fastest(),
            lenses,
            new VectorProjector(vectors, kernel.config().hiddenSize()));
  }

  private LensSource lenses(
      LensSettings settings, DecoderMetrics metrics, Deque<Runnable> afterKernel) {
    if (settings.folder().isEmpty()) {
      return LensSource.LOGIT_ONLY;
    }
    LensShelf shelf =
        new LensShelf(
            settings.folder().get(), new CheckpointLoader(checkpoint), settings.maxBytes());
    metrics.watch(shelf);
    ShelfWatch watch = ShelfWatch.start(shelf, settings.interval());
    afterKernel.push(watch::close);
    return shelf;
  }

  /** Takes translators of this checkpoint and no other. */
  private record CheckpointLoader(Checkpoint checkpoint) implements LensShelf.Loader {
    @Override
    public LensTranslator load(Path file) throws IOException {
      return LensTranslator.load(
          file, checkpoint.config(), checkpoint.model(), checkpoint.revision());
    }

    /** They are held in float32, and stored in half of that or in all. */
    @Override
    public long heldBytes(long fileBytes) {
      ModelConfig config = checkpoint.config();
      long hiddenSize = config.hiddenSize();
      long all = config.layers() * (hiddenSize + 1) * hiddenSize * Float.BYTES;
      return Math.min(all, 2 * fileBytes);
    }
  }

  KernelThread kernel() {
    return kernel;
  }

  WorkPlanner planner() {
    return planner;
  }

  Checkpoint checkpoint() {
    return checkpoint;
  }

  /** Text of single tokens, for one thread. */
  TokenTexts texts() {
    return new TokenTexts(kernel.config().vocabularySize(), tokenizer::decode);
  }

  /** Frees everything, what was opened last first. */
  @Override
  public void close() {
    while (!closing.isEmpty()) {
      closing.pop().run();
    }
  }
}
