package io.lensflow.decoder.batch;

import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.chunk.ChunkRows;
import io.lensflow.decoder.lens.Canary;
import io.lensflow.decoder.lens.Lens;
import io.lensflow.decoder.lens.LensPlan;
import io.lensflow.decoder.lens.LensRefusal;
import io.lensflow.decoder.lens.LensSource;
import io.lensflow.decoder.lens.LensTable;
import io.lensflow.decoder.lens.Projection;
import io.lensflow.decoder.vector.UnknownVectorException;
import io.lensflow.decoder.vector.VectorProjector;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Failure;
import io.lensflow.records.LensRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what is to be computed of a chunk: which lenses there are, what each of its rows needs,
 * with which others it can share a batch. Projections are computed at once, since they need no
 * head. Not thread-safe: the loop owns it.
 */
public final class WorkPlanner {
  private static final Logger log = LoggerFactory.getLogger(WorkPlanner.class);

  private final Checkpoint checkpoint;
  private final LensAccuracy fastest;
  private final LensSource lenses;
  private final VectorProjector projector;

  /**
   * @param checkpoint what is loaded here
   * @param fastest the least accurate path that its head has
   * @param lenses lenses that are held here
   * @param projector vectors that are known here
   */
  public WorkPlanner(
      Checkpoint checkpoint, LensAccuracy fastest, LensSource lenses, VectorProjector projector) {
    this.checkpoint = checkpoint;
    this.fastest = fastest;
    this.lenses = lenses;
    this.projector = projector;
  }

  /** The checkpoint that chunks must have been made by. */
  public Checkpoint checkpoint() {
    return checkpoint;
  }

  /**
   * Plans a verified chunk.
   *
   * @param dropped whether nobody wants the results any more; safe to ask from any thread
   */
  public LensOrders plan(ActivationChunk chunk, BooleanSupplier dropped) {
    ChunkRows rows = ChunkRows.of(chunk, checkpoint.config().layers());
    List<LensWork> works = new ArrayList<>();
    List<LensRefusal> refusals = new ArrayList<>();
    for (LensRequest request : chunk.getLenses()) {
      Optional<Lens> lens = lenses.find(request.getName());
      if (lens.isEmpty()) {
        refusals.add(noSuchLens(request.getName()));
        continue;
      }
      LensPlan plan = LensPlan.of(request, lens.get(), fastest);
      Optional<LensRefusal> refusal = refusal(plan, rows);
      if (refusal.isPresent()) {
        refusals.add(refusal.get());
        continue;
      }
      try {
        works.add(work(plan, rows, projector.project(rows, plan.vectors()), dropped));
      } catch (UnknownVectorException e) {
        refusals.add(
            refusal(plan.name(), LensRefusal.NO_SUCH_VECTOR, e.getMessage(), "projections", false));
      }
    }
    return new LensOrders(works, refusals);
  }

  private LensRefusal noSuchLens(String name) {
    String held = String.join("', '", lenses.names());
    return refusal(
        name,
        LensRefusal.NO_SUCH_LENS,
        "this decoder has no lens '%s'; it has '%s'".formatted(name, held),
        "name",
        false);
  }

  private Optional<LensRefusal> refusal(LensPlan plan, ChunkRows rows) {
    ActivationChunk chunk = rows.chunk();
    Optional<String> mismatch = plan.lens().refusal(chunk.getHookPoint(), chunk.getLayers());
    if (mismatch.isPresent()) {
      return mismatch.map(
          why -> refusal(plan.name(), LensRefusal.LENS_MISMATCH, why, "name", true));
    }
    return plan.needsFinalRow() && !rows.hasFinalRows()
        ? Optional.of(
            refusal(
                plan.name(),
                LensRefusal.NO_FINAL_ROW,
                "lens '%s' asks for KL, JS or a frozen norm, but the chunk holds no RESIDUAL_POST of layer %d, in finalRow or in its payload"
                    .formatted(plan.name(), checkpoint.config().layers() - 1),
                "finalRow",
                true))
        : Optional.empty();
  }

  private static LensRefusal refusal(
      String lens, String code, String message, String field, boolean deadLetter) {
    return new LensRefusal(lens, new Failure(code, message, field), deadLetter);
  }

  private LensWork work(
      LensPlan plan, ChunkRows rows, List<Projection> projections, BooleanSupplier dropped) {
    warnOfUnsupported(plan, rows.chunk());
    LensMetrics kept = plan.metrics();
    List<LensWork.Part> parts = new ArrayList<>();
    if (plan.runsHead()) {
      int[] canary = canaryRows(plan, rows);
      LensMetrics widened = canary[0] < canary[1] ? forCanary(kept, rows) : kept;
      addPart(parts, plan, rows, kept, 0, canary[0]);
      addPart(parts, plan, rows, widened, canary[0], canary[1]);
      addPart(parts, plan, rows, kept, canary[1], rows.count());
      kept = widened;
    }
    LensTable table = new LensTable(rows.count(), kept, projections);
    return new LensWork(plan, rows, table, parts, dropped);
  }

  private static void addPart(
      List<LensWork.Part> parts,
      LensPlan plan,
      ChunkRows rows,
      LensMetrics metrics,
      int from,
      int to) {
    if (from < to) {
      parts.add(new LensWork.Part(Lane.of(plan, rows.dtype(), metrics), from, to));
    }
  }

  /** First and end of the rows that are compared with the worker's own head; both 0 if none are. */
  private int[] canaryRows(LensPlan plan, ChunkRows rows) {
    int layers = checkpoint.config().layers();
    if (plan.lens() != Lens.LOGIT || !Canary.appliesTo(rows.chunk(), layers)) {
      return new int[2];
    }
    int first = rows.chunk().getLayers().indexOf(layers - 1) * rows.positions();
    return new int[] {first, first + rows.positions()};
  }

  /** What the canary needs of its rows, on top of what was asked. */
  private LensMetrics forCanary(LensMetrics asked, ChunkRows rows) {
    int topK = Math.max(asked.topK(), Math.min(Canary.TOP_K, checkpoint.config().vocabularySize()));
    return new LensMetrics(
        topK,
        asked.entropy(),
        true,
        asked.targetsPerRow(),
        asked.kl(),
        asked.js(),
        Canary.needsExact(rows.dtype()) ? LensAccuracy.EXACT : asked.accuracy());
  }

  private static void warnOfUnsupported(LensPlan plan, ActivationChunk chunk) {
    if (!plan.unsupported().isEmpty() && chunk.getSequence() == 0) {
      log.warn(
          "request={} attempt={} lens={} asks for metrics that this decoder does not know; they are"
              + " left out. Update the decoder",
          chunk.getRequestId(),
          chunk.getAttemptId(),
          plan.name());
    }
  }
}
