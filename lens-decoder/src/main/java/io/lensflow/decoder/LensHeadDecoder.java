package io.lensflow.decoder;

import io.lensflow.decoder.batch.RowDecoder;
import io.lensflow.engine.DType;
import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.lens.LensAccuracy;
import io.lensflow.engine.lens.LensBatch;
import io.lensflow.engine.lens.LensHead;
import io.lensflow.engine.lens.LensHeadOptions;
import io.lensflow.engine.lens.LensMetrics;
import io.lensflow.engine.lens.LensRows;
import io.lensflow.engine.lens.LensTranslator;
import io.lensflow.engine.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The engine's lens head as a {@link RowDecoder}. Not thread-safe.
 *
 * @param head closed with this
 * @param fastest the least accurate path that it has
 */
public record LensHeadDecoder(LensHead head, LensAccuracy fastest) implements RowDecoder {
  /**
   * Loads final norm and head.
   *
   * @param threads threads that one operator spreads over; 0 takes all processors
   * @throws IOException if the checkpoint cannot be read; names what is wrong
   */
  public static LensHeadDecoder load(Path checkpoint, int threads) throws IOException {
    LensHeadOptions defaults = LensHeadOptions.defaults();
    LensHeadOptions options = threads == 0 ? defaults : defaults.withThreads(threads);
    return new LensHeadDecoder(LensHead.load(checkpoint, options), fastest(checkpoint));
  }

  /** Only a head in bfloat16 has a fast path of its own. */
  private static LensAccuracy fastest(Path folder) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      boolean tied = checkpoint.config().model().tiedHead();
      DType stored = checkpoint.storedType(tied ? "model.embed_tokens.weight" : "lm_head.weight");
      return stored == DType.BFLOAT16 ? LensAccuracy.FAST : LensAccuracy.EXACT;
    }
  }

  @Override
  public ModelConfig config() {
    return head.config();
  }

  @Override
  public String revision() {
    return head.revision();
  }

  @Override
  public LensRows decode(LensBatch batch, LensMetrics metrics, LensTranslator translator) {
    return head.decode(batch, metrics, translator);
  }

  @Override
  public void close() {
    head.close();
  }
}
