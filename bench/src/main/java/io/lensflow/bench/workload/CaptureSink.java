package io.lensflow.bench.workload;

import io.lensflow.engine.Engine;
import io.lensflow.engine.StepOutput;
import io.lensflow.engine.capture.CapturePlan;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.LensRequest;
import io.lensflow.records.PromptRequest;
import io.lensflow.schemas.serde.RecordSerializer;
import io.lensflow.text.spec.PositionSpec;
import io.lensflow.worker.WorkerIdentity;
import io.lensflow.worker.WorkerSettings;
import io.lensflow.worker.publishing.ChunkAssembler;
import io.lensflow.worker.publishing.ChunkLimits;
import io.lensflow.worker.publishing.PayloadScratch;
import io.lensflow.worker.publishing.StepRows;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.Attempt;
import io.lensflow.worker.request.CaptureSpec;
import io.lensflow.worker.request.GenerationRequest;
import io.lensflow.worker.request.Lane;
import io.lensflow.worker.request.Run;
import io.lensflow.worker.steering.PinnedSteering;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * Where captured rows go instead of Kafka: a worker's own chunk assembler cuts them into records,
 * its serialiser writes these, and the bytes are counted and dropped. As in a worker this happens
 * on a thread of its own, named {@code bench-publisher}, beside the engine's, that gets a step's
 * rows all at once.
 *
 * <p>{@link #accept} belongs to the engine's thread; the assemblers to the publisher's.
 */
public final class CaptureSink implements Decoding.Observer, AutoCloseable {
  /** A worker's own, as it is configured by default. */
  private static final ChunkLimits LIMITS =
      WorkerSettings.load(Map.of("lensflow.worker.model", "bench")).publisher().chunks();

  private final PayloadScratch scratch = new PayloadScratch();
  private final List<ChunkAssembler> assemblers = new ArrayList<>();
  private final List<Runnable> ofStep = new ArrayList<>();
  private final List<Future<?>> handed = new ArrayList<>();
  private final int[] positions;
  private final ExecutorService publisher =
      Executors.newSingleThreadExecutor(work -> new Thread(work, "bench-publisher"));
  private final RecordSerializer<ActivationChunk> serializer =
      new RecordSerializer<>((subject, schema) -> 1);
  private long bytes;
  private long rows;

  /**
   * A sink for B sequences of prompts {@code prompts}.
   *
   * @param newTokens tokens that each will generate
   */
  public CaptureSink(Engine engine, List<int[]> prompts, int newTokens) {
    WorkerIdentity identity = new WorkerIdentity("bench", "bench", Instant.EPOCH, "bench", "bench");
    EngineInfo info = EngineInfo.of(engine);
    CaptureSpec capture = new CaptureSpec(everyLayer(engine), engine.dtype());
    this.positions = new int[prompts.size()];
    for (int b = 0; b < prompts.size(); b++) {
      PromptRequest source =
          PromptRequest.newBuilder()
              .setRequestId("request-" + b)
              .setLenses(List.of(LensRequest.newBuilder().build()))
              .build();
      GenerationRequest request =
          new GenerationRequest(
              source,
              null,
              prompts.get(b),
              Instant.MAX,
              source.getLenses(),
              capture,
              newTokens,
              false);
      Attempt attempt = new Attempt("attempt-" + b, 1);
      Run run = new Run(request, attempt, PinnedSteering.NONE, false, Lane.INTERACTIVE);
      assemblers.add(new ChunkAssembler(run, identity, info, LIMITS, scratch, Clock.systemUTC()));
    }
  }

  /** {@code RESIDUAL_POST} of every layer at every position. */
  public static CapturePlan everyLayer(Engine engine) {
    return new CapturePlan(
        List.of(HookPoint.RESIDUAL_POST),
        IntStream.range(0, engine.config().layers()).boxed().toList(),
        PositionSpec.ALL,
        false);
  }

  @Override
  public void accept(int sequence, int[] consumed, Integer next, StepOutput output) {
    StepRows step =
        new StepRows(
            positions[sequence],
            consumed,
            next,
            output.summary(),
            output.rows(),
            output.finalRows());
    positions[sequence] += consumed.length;
    ChunkAssembler assembler = assemblers.get(sequence);
    ofStep.add(() -> publish(assembler, step));
  }

  @Override
  public void endOfStep() {
    List<Runnable> all = List.copyOf(ofStep);
    ofStep.clear();
    handed.add(publisher.submit(() -> all.forEach(Runnable::run)));
  }

  private void publish(ChunkAssembler assembler, StepRows step) {
    assembler.add(step, this::take);
    if (assembler.isDue(Instant.now())) {
      assembler.flush(this::take);
    }
  }

  /** Waits until all that was handed over has been looked at. */
  public void await() throws InterruptedException, ExecutionException {
    for (Future<?> one : handed) {
      one.get();
    }
    handed.clear();
  }

  /** Cuts what is left and waits until everything is serialised. */
  public void drain() throws InterruptedException, ExecutionException {
    for (ChunkAssembler assembler : assemblers) {
      handed.add(publisher.submit(() -> assembler.flush(this::take)));
    }
    await();
  }

  private void take(ChunkAssembler.Chunk chunk) {
    ActivationChunk record = chunk.record();
    bytes += serializer.serialize("activations", record).length;
    rows += (long) record.getLayers().size() * record.getPositions().size();
  }

  /** Bytes of all chunks; to be asked after {@link #drain}. */
  public long bytes() {
    return bytes;
  }

  /** Rows in all chunks, one per layer and position; to be asked after {@link #drain}. */
  public long rows() {
    return rows;
  }

  @Override
  public void close() {
    publisher.shutdownNow();
  }
}
