package io.lensflow.decoder.fit;

import io.lensflow.decoder.chunk.Checkpoint;
import io.lensflow.decoder.chunk.ChunkVerifier;
import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.FiniteValues;
import io.lensflow.engine.lens.fit.PairedRows;
import io.lensflow.engine.lens.fit.TranslatorFit;
import io.lensflow.records.ActivationChunk;
import io.lensflow.records.Failure;
import io.lensflow.records.HookPoint;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sorts chunks into rows to learn from and rows to measure on, and leaves out what would spoil
 * either. Each position of a request counts once: of several attempts only the first that is met.
 * Not thread-safe.
 */
final class RowCollector {
  /** Rows that wait for their last row, and last rows kept for others: this much of each. */
  private static final long PAIRING_BYTES = 64L << 20;

  /** Last rows of the training text, for the unigram lens: all of them for most models. */
  private static final long UNIGRAM_BYTES = 64L << 20;

  private static final Logger log = LoggerFactory.getLogger(RowCollector.class);

  private final FitPlan plan;
  private final ChunkVerifier verifier;
  private final TranslatorFit fit;
  private final RequestSplit split;
  private final RowPairing pairing;
  private final FirstAttempts attempts = new FirstAttempts();
  private final KeptRows heldOut;
  private final KeptRows trainingFinalRows = KeptRows.upToFinalBytes(UNIGRAM_BYTES);
  private final Set<String> trainingRequests = new HashSet<>();
  private final SortedMap<Integer, Long> rows = new TreeMap<>();
  private long chunks;
  private long otherAttempts;
  private long steered;
  private long refused;

  RowCollector(FitPlan plan, Checkpoint checkpoint, SortedSet<Integer> layers, TranslatorFit fit) {
    this.plan = plan;
    this.verifier = new ChunkVerifier(checkpoint, 1);
    this.fit = fit;
    this.split = new RequestSplit(plan.heldOut(), plan.seed());
    this.heldOut = KeptRows.upToRows((long) plan.maxHeldOutRows() * layers.size());
    this.pairing =
        new RowPairing(
            HookPoint.valueOf(plan.hookPoint().name()),
            layers,
            checkpoint.config().layers(),
            checkpoint.config().hiddenSize(),
            PAIRING_BYTES);
    layers.forEach(layer -> rows.put(layer, 0L));
  }

  /** Takes in a chunk of the model. */
  void take(ActivationChunk chunk) {
    if (!pairing.concerns(chunk)) {
      return;
    }
    chunks++;
    if (!plan.steered() && !chunk.getSteering().isEmpty()) {
      steered++;
    } else if (isSound(chunk)) {
      if (attempts.isFirst(chunk.getRequestId(), chunk.getAttemptId())) {
        use(chunk);
      } else {
        otherAttempts++;
      }
    }
  }

  private boolean isSound(ActivationChunk chunk) {
    // What lenses the request asked for is no matter of ours.
    chunk.setLenses(List.of());
    Optional<Failure> fault = verifier.fault(chunk);
    String reason = fault.map(Failure::getMessage).orElse(null);
    if (reason == null) {
      DType dtype = ChunkVerifier.dtype(chunk.getDtype()).orElseThrow();
      boolean finite =
          FiniteValues.firstNonFinite(chunk.getPayload(), dtype) < 0
              && (chunk.getFinalRow() == null
                  || FiniteValues.firstNonFinite(chunk.getFinalRow(), dtype) < 0);
      reason = finite ? null : "its rows hold NaN or infinity";
    }
    if (reason != null) {
      refuse(
          "request=%s attempt=%s sequence=%d: %s"
              .formatted(chunk.getRequestId(), chunk.getAttemptId(), chunk.getSequence(), reason));
    }
    return reason == null;
  }

  /** Counts a record that cannot be used. */
  void refuse(String what) {
    refused++;
    log.warn("left out: {}", what);
  }

  private void use(ActivationChunk chunk) {
    DType dtype = ChunkVerifier.dtype(chunk.getDtype()).orElseThrow();
    boolean measure = split.isHeldOut(chunk.getRequestId());
    for (PairedRows block : pairing.pair(chunk, dtype)) {
      block.rows().keySet().forEach(layer -> rows.merge(layer, (long) block.n(), Long::sum));
      if (measure) {
        heldOut.add(chunk.getRequestId(), block);
      } else {
        fit.add(block);
        trainingRequests.add(chunk.getRequestId());
        trainingFinalRows.addFinalRows(chunk.getRequestId(), block);
      }
    }
  }

  /** Positions taken in so far at the layer that has fewest. */
  long rows() {
    return rows.values().stream().mapToLong(Long::longValue).min().orElse(0);
  }

  /** The layer that has fewest. */
  int poorestLayer() {
    return rows.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow().getKey();
  }

  /** Rows that were not learned from. */
  KeptRows heldOut() {
    return heldOut;
  }

  /** Last rows of those learned from. */
  KeptRows trainingFinalRows() {
    return trainingFinalRows;
  }

  /** Requests learned from. */
  int trainingRequests() {
    return trainingRequests.size();
  }

  /** What was left out so far. */
  FitCounts counts(long deletedRecords) {
    return new FitCounts(
        chunks, otherAttempts, steered, refused, pairing.unpaired(), deletedRecords);
  }
}
