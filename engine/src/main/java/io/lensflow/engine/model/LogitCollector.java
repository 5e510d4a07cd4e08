package io.lensflow.engine.model;

import io.lensflow.engine.StepInput;
import io.lensflow.engine.lens.HeadSummary;
import io.lensflow.engine.model.PassPlanner.Slice;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * The logits of one input of a step, put together from the ranks' parts of the vocabulary, pass by
 * pass.
 */
final class LogitCollector {
  private final int vocabularySize;
  private final float[] logits;
  private int rows;
  private HeadSummary summary;

  LogitCollector(StepInput input, int vocabularySize) {
    this.vocabularySize = vocabularySize;
    int kept =
        switch (input.logits()) {
          case NONE, SUMMARY -> 0;
          case LAST -> 1;
          case ALL -> input.tokenIds().length;
        };
    this.logits = new float[Math.multiplyExact(kept, vocabularySize)];
  }

  /**
   * Takes what a pass gave for a slice of the input.
   *
   * @param firstRow the slice's first row among those that went through the head
   */
  void take(Slice slice, int firstRow, List<Rank.Output> ranks) {
    int count =
        switch (slice.logits()) {
          case NONE -> 0;
          case SUMMARY, LAST -> 1;
          case ALL -> slice.ids().length;
        };
    if (count == 0) {
      return;
    }
    summary =
        HeadSummary.merge(ranks.stream().map(r -> r.summaries()[firstRow + count - 1]).toList());
    if (!slice.logits().leaveDevice()) {
      return;
    }
    for (int row = 0; row < count; row++, rows++) {
      int at = rows * vocabularySize;
      for (Rank.Output rank : ranks) {
        FloatBuffer values = rank.values();
        int width = rank.width();
        int own = rank.vocabulary();
        values.get((firstRow + row) * width, logits, at, own);
        at += own;
      }
    }
  }

  /** Float32 logits that were asked for, row-major. */
  float[] logits() {
    return logits;
  }

  /** Summary of the last row's logits; null if none was asked for. */
  HeadSummary summary() {
    return summary;
  }
}
