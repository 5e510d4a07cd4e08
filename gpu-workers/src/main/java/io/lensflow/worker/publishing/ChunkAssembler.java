package io.lensflow.worker.publishing;

import io.lensflow.engine.DType;
import io.lensflow.engine.RowConversion;
import io.lensflow.engine.capture.CapturedRows;
import io.lensflow.engine.capture.HookPoint;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.ElementType;
import io.lensflow.worker.WorkerIdentity;
import io.lensflow.worker.ranks.EngineInfo;
import io.lensflow.worker.request.CaptureSpec;
import io.lensflow.worker.request.GenerationRequest;
import io.lensflow.worker.request.Run;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * Collects the rows of one run and cuts them into chunks that decode by themselves.
 *
 * <p>A chunk holds a run of positions at one hook point, at all layers while one position over all
 * layers fits into a record; where it does not, a position is split by layers. The first rows of a
 * run become chunks at once, so that subscribers see rows while it runs, however short it is; later
 * ones when there are enough of them or when they are old enough.
 *
 * <p>Not thread-safe: owned by the publisher.
 */
public final class ChunkAssembler {
  /** Token ids, head values and array overhead of one position, at their largest, in Avro. */
  private static final int POSITION_BYTES = 48;

  /** Kafka's record overhead, headers and the wire format's prefix. */
  private static final int RECORD_BYTES = 1024;

  /** A layer number in Avro. */
  private static final int LAYER_BYTES = 5;

  private final Run run;
  private final WorkerIdentity identity;
  private final EngineInfo engine;
  private final ChunkLimits limits;
  private final PayloadScratch scratch;
  private final InstantSource clock;
  private final CaptureSpec capture;
  private final int rowBytes;
  private final int positionsPerChunk;
  private final int layersPerChunk;
  private final Map<HookPoint, Deque<Block>> pending = new EnumMap<>(HookPoint.class);

  private int sequence;
  private int rows;
  private Instant oldest;

  /**
   * A chunk and what it frees.
   *
   * @param record ready to be sent; its payload lies in the scratch and is overwritten by the next
   *     chunk
   * @param heldBytes bytes of captured buffers that it copied
   */
  public record Chunk(ActivationChunk record, long heldBytes) {}

  /** Rows of one step at one hook point, of which those from {@code next} on are pending. */
  private static final class Block {
    private final StepRows step;
    private final CapturedRows rows;
    private final CapturedRows finalRows;
    private final boolean ownsFinalRows;
    private int next;

    Block(StepRows step, CapturedRows rows, boolean ownsFinalRows) {
      this.step = step;
      this.rows = rows;
      this.finalRows = step.finalRows();
      this.ownsFinalRows = ownsFinalRows;
    }

    int remaining() {
      return rows.positions().length - next;
    }
  }

  /** One position of a block. */
  private record Row(Block block, int index) {
    int position() {
      return block.rows.positions()[index];
    }

    /** What the model's head said here; null where it did not run. */
    HeadSummary head() {
      return block.step.headAt(position());
    }
  }

  /**
   * @param scratch where payloads are put together; may serve other assemblers of the same thread
   */
  public ChunkAssembler(
      Run run,
      WorkerIdentity identity,
      EngineInfo engine,
      ChunkLimits limits,
      PayloadScratch scratch,
      InstantSource clock) {
    this.run = run;
    this.identity = identity;
    this.engine = engine;
    this.limits = limits;
    this.scratch = scratch;
    this.clock = clock;
    this.capture = run.request().capture();
    this.rowBytes = engine.config().hiddenSize() * capture.rowDtype().bytes();
    int layers = capture.plan().layers().size();
    long room = limits.maxRecordBytes() - RECORD_BYTES - encodedBytes(template());
    long finalBytes = capture.plan().finalRow() ? rowBytes : 0;
    long positionBytes = (long) layers * rowBytes + finalBytes + POSITION_BYTES;
    long fitting = (room - (long) layers * LAYER_BYTES) / Math.max(1, positionBytes);
    if (fitting >= 1) {
      this.positionsPerChunk = (int) Math.min(fitting, limits.maxRows());
      this.layersPerChunk = Math.max(1, layers);
    } else {
      this.positionsPerChunk = 1;
      this.layersPerChunk =
          (int) Math.max(1, (room - finalBytes - POSITION_BYTES) / (rowBytes + LAYER_BYTES));
    }
  }

  /**
   * Bytes of a record that holds a single row of a request, with all that its chunks repeat but for
   * the steering.
   *
   * @param hiddenSize D
   */
  static long leastRecordBytes(GenerationRequest request, int hiddenSize) {
    ActivationChunk repeated =
        ActivationChunk.newBuilder()
            .setRequestId(request.requestId())
            .setLabels(request.source().getLabels())
            .setLenses(request.source().getLenses())
            .build();
    CaptureSpec capture = request.capture();
    long rows = capture.plan().finalRow() ? 2 : 1;
    return RECORD_BYTES
        + encodedBytes(repeated)
        + POSITION_BYTES
        + LAYER_BYTES
        + rows * hiddenSize * capture.rowDtype().bytes();
  }

  /** Chunks made so far: the next one's sequence. */
  int chunks() {
    return sequence;
  }

  /** Positions captured so far. */
  int rows() {
    return rows;
  }

  /**
   * Takes the rows of a step.
   *
   * @param chunks gets those that are to be sent now, one after the other
   */
  public void add(StepRows step, Consumer<Chunk> chunks) {
    if (step.rows().isEmpty() || step.rows().get(0).positions().length == 0) {
      return;
    }
    boolean first = rows == 0;
    rows += step.rows().get(0).positions().length;
    boolean ownsFinalRows = true;
    for (CapturedRows one : step.rows()) {
      pending
          .computeIfAbsent(one.hookPoint(), hookPoint -> new ArrayDeque<>())
          .add(new Block(step, one, ownsFinalRows));
      ownsFinalRows = false;
    }
    if (oldest == null) {
      oldest = clock.instant();
    }
    cut(first, chunks);
  }

  /** Whether rows have waited so long that they are to be sent. */
  public boolean isDue(Instant now) {
    return oldest != null && !now.isBefore(oldest.plus(limits.flushInterval()));
  }

  /**
   * Cuts everything that is pending.
   *
   * @param chunks gets what was cut, one after the other
   */
  public void flush(Consumer<Chunk> chunks) {
    cut(true, chunks);
  }

  private void cut(boolean all, Consumer<Chunk> chunks) {
    for (Map.Entry<HookPoint, Deque<Block>> entry : pending.entrySet()) {
      Deque<Block> blocks = entry.getValue();
      int waiting = blocks.stream().mapToInt(Block::remaining).sum();
      while (waiting >= positionsPerChunk || (all && waiting > 0)) {
        List<Row> taken = take(blocks, Math.min(waiting, positionsPerChunk));
        waiting -= taken.size();
        makeChunks(entry.getKey(), taken, chunks);
      }
    }
    if (pending.values().stream().allMatch(Deque::isEmpty)) {
      oldest = null;
    }
  }

  private static List<Row> take(Deque<Block> blocks, int count) {
    List<Row> taken = new ArrayList<>(count);
    while (taken.size() < count) {
      Block block = blocks.peek();
      taken.add(new Row(block, block.next++));
      if (block.remaining() == 0) {
        blocks.remove();
      }
    }
    return taken;
  }

  private void makeChunks(HookPoint hookPoint, List<Row> taken, Consumer<Chunk> chunks) {
    int layers = capture.plan().layers().size();
    for (int from = 0; from < layers; from += layersPerChunk) {
      chunks.accept(chunk(hookPoint, taken, from, Math.min(layers, from + layersPerChunk)));
    }
  }

  /** Layers {@code from} … {@code to}−1 of the captured ones, at the given rows. */
  private Chunk chunk(HookPoint hookPoint, List<Row> taken, int from, int to) {
    List<Integer> layers = capture.plan().layers().subList(from, to);
    DType dtype = capture.rowDtype();
    int hidden = engine.config().hiddenSize();
    long held = 0;
    ByteBuffer payload = scratch.take((to - from) * taken.size() * rowBytes);
    for (int layer = from; layer < to; layer++) {
      for (Row row : taken) {
        CapturedRows source = row.block().rows;
        long index = (long) layer * source.positions().length + row.index();
        int sourceBytes = hidden * source.dtype().bytes();
        RowConversion.copy(
            source.payload(), index * sourceBytes, hidden, source.dtype(), payload, dtype);
        held += sourceBytes;
      }
    }
    payload.flip();
    ByteBuffer finalRow = finalRow(hookPoint, layers, taken);
    if (from == 0) {
      held += taken.stream().mapToLong(this::heldFinalBytes).sum();
    }
    ActivationChunk chunk = template();
    chunk.setSequence(sequence++);
    chunk.setHookPoint(io.lensflow.records.HookPoint.valueOf(hookPoint.name()));
    chunk.setLayers(List.copyOf(layers));
    chunk.setShape(List.of(to - from, taken.size(), hidden));
    chunk.setPayload(payload);
    chunk.setFinalRow(finalRow);
    chunk.setCrc32c(checksum(payload, finalRow));
    describePositions(chunk, taken);
    return new Chunk(chunk, held);
  }

  private long heldFinalBytes(Row row) {
    boolean counted = row.block().ownsFinalRows && row.block().finalRows != null;
    return counted
        ? (long) engine.config().hiddenSize() * row.block().finalRows.dtype().bytes()
        : 0;
  }

  private ByteBuffer finalRow(HookPoint hookPoint, List<Integer> layers, List<Row> taken) {
    boolean held =
        hookPoint == HookPoint.RESIDUAL_POST && layers.contains(engine.config().layers() - 1);
    if (!capture.plan().finalRow() || held) {
      return null;
    }
    int hidden = engine.config().hiddenSize();
    ByteBuffer rows = ByteBuffer.allocate(taken.size() * rowBytes).order(ByteOrder.LITTLE_ENDIAN);
    for (Row row : taken) {
      CapturedRows source = row.block().finalRows;
      long offset = (long) row.index() * hidden * source.dtype().bytes();
      RowConversion.copy(
          source.payload(), offset, hidden, source.dtype(), rows, capture.rowDtype());
    }
    return rows.flip();
  }

  private static void describePositions(ActivationChunk chunk, List<Row> taken) {
    List<Integer> positions = new ArrayList<>(taken.size());
    List<Integer> tokens = new ArrayList<>(taken.size());
    List<Integer> next = new ArrayList<>(taken.size());
    List<Integer> topIds = new ArrayList<>(taken.size());
    List<Float> topLogits = new ArrayList<>(taken.size());
    List<Float> logSumExps = new ArrayList<>(taken.size());
    for (Row row : taken) {
      int position = row.position();
      StepRows step = row.block().step;
      HeadSummary head = row.head();
      positions.add(position);
      tokens.add(step.tokenAt(position));
      next.add(step.tokenAfter(position));
      topIds.add(head == null ? null : head.topId());
      topLogits.add(head == null ? null : head.topLogit());
      logSumExps.add(head == null ? null : head.logSumExp());
    }
    chunk.setPositions(positions);
    chunk.setTokenIds(tokens);
    chunk.setNextTokenIds(next);
    chunk.setModelTopIds(topIds);
    chunk.setModelTopLogits(topLogits);
    chunk.setModelLogSumExps(logSumExps);
  }

  /** A chunk with everything that all chunks of the run share. */
  private ActivationChunk template() {
    return ActivationChunk.newBuilder()
        .setRequestId(run.requestId())
        .setAttemptId(run.attemptId())
        .setAttempt(run.attempt().number())
        .setModel(identity.model())
        .setRevision(engine.revision())
        .setTokenizerHash(identity.tokenizerHash())
        .setLabels(run.request().source().getLabels())
        .setProducedAt(clock.instant())
        .setDtype(ElementType.valueOf(capture.rowDtype().name()))
        .setSteering(run.steering().applied())
        .setSteeringFingerprint(run.steering().fingerprint())
        .setLenses(run.request().lenses())
        .build();
  }

  private static int encodedBytes(ActivationChunk chunk) {
    try {
      return ActivationChunk.getEncoder().encode(chunk).remaining();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
  }

  private static long checksum(ByteBuffer payload, ByteBuffer finalRow) {
    CRC32C crc = new CRC32C();
    crc.update(payload.duplicate());
    if (finalRow != null) {
      crc.update(finalRow.duplicate());
    }
    return crc.getValue();
  }
}
