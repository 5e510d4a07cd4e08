package io.lensflow.steering.evaluate;

import io.lensflow.records.VectorManifest;
import java.util.Optional;

/**
 * What a version was built from, as its manifest says. Immutable.
 *
 * @param items the items that it was built from, as a range
 * @param chosenBy the items that its site was chosen by, as a range; null if none were
 * @param balance how the items were balanced; null if that is not said
 */
record BuiltFrom(String items, String chosenBy, String balance) {
  /**
   * What a manifest says of a data set.
   *
   * @param dataHash SHA-256 of the data set, hex
   * @return empty if the version was not built from it, or from nobody knows which of its items
   */
  static Optional<BuiltFrom> of(VectorManifest manifest, String dataHash) {
    if (!manifest.getDatasetHash().equals(dataHash) || manifest.getItems().isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new BuiltFrom(
            manifest.getItems(), said(manifest.getChosenBy()), said(manifest.getBalance())));
  }

  private static String said(String text) {
    return text.isEmpty() ? null : text;
  }
}
