package io.lensflow.steering.vector;

import io.lensflow.records.VectorManifest;

/**
 * How a vector was made, as far as somebody says. Immutable.
 *
 * @param method {@code MEAN_DIFFERENCE}, …; empty if not known
 * @param dataset name of the data set; empty if none
 * @param datasetHash SHA-256 of the data set, hex; empty if none
 * @param pairCount contrastive pairs used; 0 if not built from pairs
 * @param items items of the data set that it was built from, such as {@code 0-79,90}; empty if not
 *     known
 * @param chosenBy items of the data set that its site was chosen by; empty if none
 * @param balance how the items were balanced; empty if not known
 * @param labelShare |cos(v, label direction)|; null if not known
 */
public record Provenance(
    String method,
    String dataset,
    String datasetHash,
    int pairCount,
    String items,
    String chosenBy,
    String balance,
    Double labelShare) {
  /** Of a vector that was not built from data. */
  public static Provenance of(String method) {
    return new Provenance(method, "", "", 0, "", "", "", null);
  }

  /** What a manifest says. */
  public static Provenance of(VectorManifest manifest) {
    return new Provenance(
        manifest.getMethod(),
        manifest.getDataset(),
        manifest.getDatasetHash(),
        manifest.getPairCount(),
        manifest.getItems(),
        manifest.getChosenBy(),
        manifest.getBalance(),
        manifest.getLabelShare());
  }
}
