package io.lensflow.engine.lens;

import io.lensflow.engine.capture.HookPoint;

/**
 * What a translator's file says about it.
 *
 * @param name by which requests choose it
 * @param kind its formula
 * @param model name of the model that it was made for
 * @param revision that model's revision
 * @param hookPoint whose rows it translates
 * @param method how it was made, such as {@code least-squares}
 * @param trainingData what it was made from
 * @param createdAt when, ISO 8601
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
