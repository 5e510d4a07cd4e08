package io.lensflow.decoder.batch;

import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.model.ModelConfig;

/**
 * Final norm, LM head and reductions over a batch of rows. Not thread-safe: made, used and closed
 * by the kernel thread.
 */
public interface RowDecoder extends AutoCloseable {
  /** Shape of the checkpoint. */
  ModelConfig config();

  /** Revision of the checkpoint. */
  String revision();

  /** The least accurate path that the head has: exact where it has no faster one. */
  LensAccuracy fastest();

  /**
   * Decodes a batch.
   *
   * @param batch N rows and what belongs to each; its buffers are direct
   * @param metrics what to compute of them
   * @param translator what comes before the final norm; null for the logit lens
   */
  LensRows decode(LensBatch batch, LensMetrics metrics, LensTranslator translator);

  @Override
  void close();
}
