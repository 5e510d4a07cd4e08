package io.lensflow.decoder.vector;

import io.lensflow.records.HookPoint;

/** The steering vectors that a decoder knows at the moment. Thread-safe. */
public interface VectorSource {
  /** No vectors at all. */
  VectorSource NONE =
      name -> {
        throw new UnknownVectorException(
            "this decoder knows no vector '%s'; publish it first".formatted(name));
      };

  /** The sites of one version. */
  interface Sites {
    /** v̂ [D] at a place, of norm 1; null where the version has no site. Not to be changed. */
    float[] direction(HookPoint hookPoint, int layer);
  }

  /**
   * The sites of a version.
   *
   * @param name NAME@VERSION
   * @throws UnknownVectorException if it is not known here, or cannot be used
   */
  Sites sites(String name) throws UnknownVectorException;
}
