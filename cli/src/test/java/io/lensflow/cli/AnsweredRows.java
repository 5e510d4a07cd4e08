package io.lensflow.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lensflow.client.follow.LensRow;
import io.lensflow.client.follow.SettledRequest;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.records.LensResult;
import java.util.Map;
import java.util.TreeMap;

/** The decoded rows of an answer, and what they are held to. */
final class AnsweredRows {
  private AnsweredRows() {}

  /** Rows by layer and position, each of which must have come once. */
  static Map<Integer, Map<Integer, LensRow>> byLayerAndPosition(SettledRequest answer) {
    Map<Integer, Map<Integer, LensRow>> rows = new TreeMap<>();
    for (LensResult result : answer.results()) {
      for (LensRow row : LensRow.of(result)) {
        LensRow earlier =
            rows.computeIfAbsent(row.layer(), layer -> new TreeMap<>()).put(row.position(), row);
        assertThat(earlier).as("a row that came twice").isNull();
      }
    }
    return rows;
  }

  /** Holds a row to what the lens of an engine alone says there. */
  static void compare(LensRow row, LensRows expected, int layer, int position) {
    int topK = expected.topIds().length / expected.logSumExp().length;
    String where = "layer %d, position %d".formatted(layer, position);
    assertThat(row.logSumExp()).as(where).isCloseTo(expected.logSumExp()[position], within(1e-3f));
    assertThat(row.entropy()).as(where).isCloseTo(expected.entropy()[position], within(1e-3f));
    for (int k = 0; k < topK; k++) {
      int i = position * topK + k;
      LensRow.Candidate candidate = row.top().get(k);
      assertThat(candidate.logit()).as(where).isCloseTo(expected.topLogits()[i], within(1e-3f));
      assertThat(candidate.probability())
          .as(where)
          .isCloseTo(expected.topProbabilities()[i], within(1e-4f));
      boolean clear = k + 1 < topK && expected.topLogits()[i] - expected.topLogits()[i + 1] > 1e-2;
      if (k == 0 && clear) {
        assertThat(candidate.id()).as(where).isEqualTo(expected.topIds()[i]);
      }
    }
  }

  /** Largest difference of logSumExp over the first rows, layers from … to (exclusive). */
  static float difference(SettledRequest one, SettledRequest other, int rows, int from, int to) {
    Map<Integer, Map<Integer, LensRow>> left = byLayerAndPosition(one);
    Map<Integer, Map<Integer, LensRow>> right = byLayerAndPosition(other);
    float largest = 0;
    for (int layer = from; layer < Math.min(to, left.size()); layer++) {
      for (int position = 0; position < rows; position++) {
        float a = left.get(layer).get(position).logSumExp();
        float b = right.get(layer).get(position).logSumExp();
        largest = Math.max(largest, Math.abs(a - b) < 1e-3f ? 0 : Math.abs(a - b));
      }
    }
    return largest;
  }
}
