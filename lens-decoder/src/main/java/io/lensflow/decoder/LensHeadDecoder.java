package io.lensflow.decoder;

import io.lensflow.decoder.batch.RowDecoder;
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
 */
public record LensHeadDecoder(LensHead head) implements RowDecoder {
  /**
   * Loads final norm and head.
   *
   * @param threads threads that one operator spreads over; 0 takes all processors
   * @throws IOException if the checkpoint cannot be read; names what is wrong
   */
  public static LensHeadDecoder load(Path checkpoint, int threads) throws IOException {
    LensHeadOptions defaults = LensHeadOptions.defaults();
    return new LensHeadDecoder(
        LensHead.load(checkpoint, threads == 0 ? defaults : defaults.withThreads(threads)));
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
  public LensAccuracy fastest() {
    return head.fastest();
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
