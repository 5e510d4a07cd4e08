package io.lensflow.engine.lens;

import io.lensflow.engine.model.ModelConfig;

/**
 * Refuses batches that lack what their metrics need, before anything is computed. Messages name the
 * field and the fix.
 */
record BatchCheck(ModelConfig config, LensBatch batch, LensMetrics metrics) {
  /**
   * @param translator that is applied; null for none
   */
  void check(LensTranslator translator) {
    int v = config.vocabularySize();
    int n = batch.n();
    long rowBytes = (long) config.hiddenSize() * batch.dtype().bytes();
    if (n < 0 || n * rowBytes > batch.rows().remaining()) {
      throw new IllegalArgumentException(
          "n is %d rows of %d bytes, but the buffer holds %d"
              .formatted(n, rowBytes, batch.rows().remaining()));
    }
    if (metrics.topK() > v) {
      throw new IllegalArgumentException("k is %d; it must be 0 … %d".formatted(metrics.topK(), v));
    }
    if (translator != null) {
      length("layers", batch.layers(), n);
      range("layers", batch.layers(), 0, config.layers());
      for (int layer : batch.layers()) {
        if (!translator.covers(layer)) {
          throw new IllegalArgumentException(
              "layers holds %d; the translator '%s' has %s"
                  .formatted(layer, translator.name(), translator.layers()));
        }
      }
    }
    if (metrics.targetsPerRow() > 0) {
      length("targets", batch.targets(), n * metrics.targetsPerRow());
      range("targets", batch.targets(), -1, v);
    }
    if (metrics.needsModel() || batch.frozenNorm()) {
      if (batch.finalRows() == null) {
        throw new IllegalArgumentException(
            "finalRows are missing; kl, js and frozenNorm need the RESIDUAL_POST of the last layer");
      }
      length("finalRowOf", batch.finalRowOf(), n);
      int m = (int) (batch.finalRows().remaining() / rowBytes);
      range("finalRowOf", batch.finalRowOf(), 0, m);
    }
  }

  private static void length(String name, int[] values, int wanted) {
    if (values == null || values.length != wanted) {
      throw new IllegalArgumentException(
          "%s has %s entries; %d are needed"
              .formatted(name, values == null ? "no" : values.length, wanted));
    }
  }

  private static void range(String name, int[] values, int from, int before) {
    for (int i = 0; i < values.length; i++) {
      if (values[i] < from || values[i] >= before) {
        throw new IllegalArgumentException(
            "%s[%d] is %d; it must be %d … %d".formatted(name, i, values[i], from, before - 1));
      }
    }
  }
}
