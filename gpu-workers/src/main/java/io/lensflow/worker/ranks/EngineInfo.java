package io.lensflow.worker.ranks;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.model.ModelConfig;

/**
 * What the rest of a worker needs to know about its engine. Immutable.
 *
 * @param config the checkpoint's shape
 * @param revision revision of the checkpoint
 * @param dtype compute dtype
 * @param maxContext most tokens of one sequence, prompt and output together
 * @param device the device, such as {@code cpu}
 */
public record EngineInfo(
    ModelConfig config, String revision, DType dtype, int maxContext, String device) {
  static EngineInfo of(Engine engine) {
    return new EngineInfo(
        engine.config(), engine.revision(), engine.dtype(), engine.maxContext(), engine.device());
  }
}
