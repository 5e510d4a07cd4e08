package io.lensflow.decoder.batch;

import io.lensflow.decoder.lens.LensRefusal;
import java.util.List;

/**
 * What the lenses of one chunk come to: each is in one of the two.
 *
 * @param works lenses that are computed
 * @param refusals lenses that cannot be
 */
public record LensOrders(List<LensWork> works, List<LensRefusal> refusals) {
  public LensOrders {
    works = List.copyOf(works);
    refusals = List.copyOf(refusals);
  }
}
