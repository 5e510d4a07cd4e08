package io.lensflow.steering.build;

import io.lensflow.records.ActivationChunk;
import io.lensflow.records.ElementType;
import io.lensflow.steering.pipeline.Answer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Rows of an answer whose request captured one position in float32. Stateless. */
final class CapturedRows {
  private CapturedRows() {}

  /**
   * The rows [D] by site.
   *
   * @param sites every site that there must be a row of
   * @param hiddenSize D
   * @throws IllegalStateException if one is missing, or a chunk is not what was asked for
   */
  static Map<Site, float[]> read(Answer answer, List<Site> sites, int hiddenSize) {
    Map<Site, float[]> rows = new HashMap<>();
    for (ActivationChunk chunk : answer.chunks()) {
      if (chunk.getDtype() != ElementType.FLOAT32
          || !chunk.getShape().equals(List.of(chunk.getLayers().size(), 1, hiddenSize))) {
        throw new IllegalStateException(
            "a chunk of %s %s came, where one float32 row of %d values a layer was asked for"
                .formatted(chunk.getDtype(), chunk.getShape(), hiddenSize));
      }
      FloatBuffer payload =
          chunk.getPayload().duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      for (int layer : chunk.getLayers()) {
        float[] row = new float[hiddenSize];
        payload.get(row);
        rows.put(new Site(chunk.getHookPoint(), layer), row);
      }
    }
    for (Site site : sites) {
      if (!rows.containsKey(site)) {
        throw new IllegalStateException("no row of %s came".formatted(site));
      }
    }
    return rows;
  }
}
