package io.lensflow.steering.exchange;

import io.lensflow.records.HookPoint;

/**
 * Which tensors of a safetensors file are meant, and where they act, as far as the file's own names
 * do not say. Every part may be null.
 *
 * @param tensor the only tensor to take; null takes all
 * @param hookPoint where the tensors act; null reads it from their names
 * @param layer where the one tensor acts; null reads it from its name
 */
public record TensorChoice(String tensor, HookPoint hookPoint, Integer layer) {
  /** Everything as the file says. */
  public static final TensorChoice AS_NAMED = new TensorChoice(null, null, null);
}
