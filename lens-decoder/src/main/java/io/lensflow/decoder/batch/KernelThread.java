package io.lensflow.decoder.batch;

import io.lensflow.engine.DType;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.model.ModelConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that runs kernels: the head is loaded, used and closed on it. Batches wait in a
 * bounded queue; {@link #offer} refuses more, and that is the backpressure.
 *
 * <p>If a batch fails, its chunks are tried one by one, so that only the chunk at fault is refused.
 * Should a chunk fail alone, a row of ones is decoded to tell a bad chunk from a broken device: in
 * the second case the thread stops with {@link #failure}, nothing is refused, and all of it is
 * decoded again by whoever starts next.
 *
 * <p>{@link #offer} and {@link #takeFinished} are for the loop; the rest is thread-safe.
 */
public final class KernelThread implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(KernelThread.class);
  private static final long IDLE_MILLIS = 100;

  private final BlockingQueue<RowBatch> waiting;
  private final Queue<RowBatch> finished = new ConcurrentLinkedQueue<>();
  private final int targetRows;
  private final Thread thread;
  private final CompletableFuture<RowDecoder> loaded = new CompletableFuture<>();
  private volatile boolean stopping;
  private volatile Throwable failure;
  private BatchBuffers buffers;
  private int inFlight;

  private KernelThread(Callable<? extends RowDecoder> loader, int targetRows, int queuedBatches) {
    this.targetRows = targetRows;
    this.waiting = new ArrayBlockingQueue<>(queuedBatches);
    this.thread = new Thread(() -> run(loader), "lens-kernel");
    thread.setDaemon(true);
  }

  /**
   * Starts the thread and waits until it has loaded the head.
   *
   * @param loader loads the head; called on the kernel thread
   * @param targetRows most rows of a batch
   * @param queuedBatches batches that may wait while one is decoded, at least 1
   * @throws IOException if the head cannot be loaded; the message says why
   */
  public static KernelThread start(
      Callable<? extends RowDecoder> loader, int targetRows, int queuedBatches)
      throws IOException, InterruptedException {
    KernelThread kernel = new KernelThread(loader, targetRows, queuedBatches);
    kernel.thread.start();
    try {
      kernel.loaded.get();
      return kernel;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IOException("the lens head cannot be loaded: " + e.getCause().getMessage(), e);
    } catch (InterruptedException e) {
      kernel.close();
      throw e;
    }
  }

  /** Shape of the checkpoint. */
  public ModelConfig config() {
    return loaded.join().config();
  }

  /** Revision of the checkpoint. */
  public String revision() {
    return loaded.join().revision();
  }

  /** The least accurate path that the head has. */
  public LensAccuracy fastest() {
    return loaded.join().fastest();
  }

  /** Whether {@link #offer} would take a batch now. Called by the loop. */
  public boolean hasRoom() {
    return waiting.remainingCapacity() > 0;
  }

  /** Hands over a batch; false if the queue is full. Called by the loop. */
  public boolean offer(RowBatch batch) {
    boolean taken = waiting.offer(batch);
    inFlight += taken ? 1 : 0;
    return taken;
  }

  /** A batch that is finished, or null. Called by the loop. */
  public RowBatch takeFinished() {
    RowBatch batch = finished.poll();
    inFlight -= batch == null ? 0 : 1;
    return batch;
  }

  /** Batches handed over and not taken back. Called by the loop. */
  public int inFlight() {
    return inFlight;
  }

  /** Why the thread stopped by itself; null while it works. */
  public Throwable failure() {
    return failure;
  }

  /** Stops after the batch in hand and frees the head's memory. */
  @Override
  public void close() {
    stopping = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run(Callable<? extends RowDecoder> loader) {
    try (RowDecoder decoder = loader.call()) {
      buffers = new BatchBuffers(targetRows, decoder.config().hiddenSize());
      loaded.complete(decoder);
      while (!stopping) {
        RowBatch batch = waiting.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
        if (batch != null) {
          decode(decoder, batch);
          finished.add(batch);
        }
      }
    } catch (Throwable e) {
      // An Error too must reach the loop, which otherwise waits for ever for its batches.
      failure = e;
      loaded.completeExceptionally(e);
      if (loaded.isDone() && !loaded.isCompletedExceptionally()) {
        log.error("the kernel thread stops", e);
      }
    }
  }

  private void decode(RowDecoder decoder, RowBatch batch) {
    try {
      decode(decoder, batch.lane(), batch.segments());
    } catch (RuntimeException e) {
      log.warn("a batch of {} rows failed; its chunks are tried one by one", batch.rows(), e);
      for (RowSegment segment : batch.segments()) {
        decodeAlone(decoder, batch.lane(), segment);
      }
    }
  }

  private void decodeAlone(RowDecoder decoder, Lane lane, RowSegment segment) {
    try {
      decode(decoder, lane, List.of(segment));
    } catch (RuntimeException e) {
      probe(decoder);
      segment.work().fail(e);
    }
  }

  /** Throws if the device cannot even decode a row of ones. */
  private void probe(RowDecoder decoder) {
    int hiddenSize = decoder.config().hiddenSize();
    ByteBuffer row =
        ByteBuffer.allocateDirect(hiddenSize * DType.FLOAT32.bytes())
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int d = 0; d < hiddenSize; d++) {
      row.putFloat(1f);
    }
    decoder.decode(LensBatch.of(row.flip(), DType.FLOAT32, 1), LensMetrics.summary(1), null);
  }

  private void decode(RowDecoder decoder, Lane lane, List<RowSegment> segments) {
    LensMetrics metrics = RowBatch.metrics(lane, segments);
    LensBatch batch = buffers.gather(lane, segments, metrics);
    LensRows rows = decoder.decode(batch, metrics, lane.lens().translator());
    int from = 0;
    for (RowSegment segment : segments) {
      segment.work().table().fill(segment.from(), rows, from, segment.count());
      from += segment.count();
    }
  }
}
