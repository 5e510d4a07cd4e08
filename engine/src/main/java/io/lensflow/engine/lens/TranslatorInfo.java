package io.lensflow.engine.lens;

import io.lensflow.engine.capture.HookPoint;

/**
 * What a translator's file says about it.
 *
 * @param name by which requests choose it
 * @param kind its formula
 * @param model served name of the model that it was made for
 * @param revision that model's revision; empty if its maker did not say
 * @param hookPoint whose rows it translates
 * @param method how it was made, such as {@code least-squares}; may be empty
 * @param trainingData what it was made from; may be empty
 * @param createdAt when, ISO 8601; may be empty
 */
public record TranslatorInfo(
    String name,
    Kind kind,
    String model,
    String revision,
    HookPoint hookPoint,
    String method,
    String trainingData,
    String createdAt) {
  /** The formula that a translator applies to a row h. */
  public enum Kind {
    /** h + W h + b. */
    AFFINE,
    /** J h. */
    LINEAR
  }
}
