package io.lensflow.engine.model;

import io.lensflow.engine.StepInput;
import io.lensflow.engine.StepInput.Logits;
import io.lensflow.engine.capture.CaptureStaging;
import io.lensflow.engine.capture.RowCollector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Cuts a step into passes: as a rule one, more where staging memory does not hold all rows.
 *
 * <p>A deterministic engine runs every chunk of a prompt by itself and single tokens in groups that
 * are filled up to {@link #GROUP_ROWS} rows: each product then has a shape that does not depend on
 * the neighbours, and so has each row's order of summation.
 */
final class PassPlanner {
  /** Rows of a deterministic pass of single tokens. */
  static final int GROUP_ROWS = 16;

  private final CaptureStaging staging;
  private final boolean deterministic;
  private final List<Pass> passes = new ArrayList<>();
  private List<Slice> slices = new ArrayList<>();
  private BitSet places = new BitSet();
  private int rows;

  private PassPlanner(CaptureStaging staging, boolean deterministic) {
    this.staging = staging;
    this.deterministic = deterministic;
  }

  /** The fewest rows that a pass may have. */
  static int fewestRows(boolean deterministic) {
    return deterministic ? GROUP_ROWS : 1;
  }

  /**
   * New tokens of one input that a pass consumes.
   *
   * @param input the input's place in the step
   * @param sequence the input's sequence
   * @param ids token ids [T]
   * @param position the absolute position of the first
   * @param logits which rows go through the head
   */
  record Slice(int input, RunningSequence sequence, int[] ids, int position, Logits logits) {}

  /**
   * What runs at once.
   *
   * @param slices in the order of their rows
   * @param places all that its sequences capture at; empty if they capture nothing
   * @param rowCount N
   * @param filled whether every product, the head's too, has N rows, however many are of use
   */
  record Pass(List<Slice> slices, BitSet places, int rowCount, boolean filled) {}

  /**
   * Plans a step.
   *
   * @param collectors per input what it captures; null where it captures nothing
   */
  static List<Pass> plan(
      List<StepInput> inputs,
      RowCollector[] collectors,
      CaptureStaging staging,
      boolean deterministic) {
    PassPlanner planner = new PassPlanner(staging, deterministic);
    for (int i = 0; i < inputs.size(); i++) {
      if (!deterministic || inputs.get(i).tokenIds().length == 1) {
        planner.add(i, inputs.get(i), collectors[i]);
      }
    }
    planner.finish();
    for (int i = 0; deterministic && i < inputs.size(); i++) {
      if (inputs.get(i).tokenIds().length > 1) {
        planner.add(i, inputs.get(i), collectors[i]);
        planner.finish();
      }
    }
    return planner.passes;
  }

  private void add(int input, StepInput tokens, RowCollector collector) {
    int[] ids = tokens.tokenIds();
    RunningSequence sequence = (RunningSequence) tokens.sequence();
    for (int from = 0; from < ids.length; ) {
      int room = room(collector, sequence.length() + from, ids.length - from) - rows;
      int count = Math.min(room, ids.length - from);
      if (count < 1 || (count < ids.length - from && rows > 0)) {
        finish();
        continue;
      }
      boolean last = from + count == ids.length;
      Logits logits = last || tokens.logits() == Logits.ALL ? tokens.logits() : Logits.NONE;
      int[] part = count == ids.length ? ids : Arrays.copyOfRange(ids, from, from + count);
      slices.add(new Slice(input, sequence, part, sequence.length() + from, logits));
      if (collector != null && collector.wants(sequence.length() + from, count)) {
        places.or(collector.sequence().places());
      }
      rows += count;
      from += count;
    }
  }

  /** Rows that the pass may have with this input in it; 0 if the input cannot join it. */
  private int room(RowCollector collector, int position, int count) {
    BitSet together = places;
    if (collector != null && collector.wants(position, count)) {
      together = (BitSet) places.clone();
      together.or(collector.sequence().places());
    }
    int staged = staging.rowsFor(together);
    if (deterministic && count == 1) {
      // What fills a group up is staged with it.
      return staged < GROUP_ROWS ? 0 : GROUP_ROWS;
    }
    return staged;
  }

  private void finish() {
    if (slices.isEmpty()) {
      return;
    }
    boolean group = deterministic && slices.stream().allMatch(slice -> slice.ids().length == 1);
    passes.add(new Pass(slices, places, group ? GROUP_ROWS : rows, group));
    slices = new ArrayList<>();
    places = new BitSet();
    rows = 0;
  }
}
