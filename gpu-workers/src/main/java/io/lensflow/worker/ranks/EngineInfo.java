package io.lensflow.worker.ranks;

import io.lensflow.engine.DType;
import io.lensflow.engine.Engine;
import io.lensflow.engine.RankInfo;
import io.lensflow.engine.model.ModelConfig;
import java.util.List;

/**
 * What the rest of a worker needs to know about its engine. Immutable.
 *
 * @param config the checkpoint's shape
 * @param revision revision of the checkpoint
 * @param dtype compute dtype
 * @param maxContext most tokens of one sequence, prompt and output together
 * @param device the device, such as {@code cpu}
 * @param kvTokens tokens whose keys and values the pool holds, over all sequences
 * @param ranks what each tensor-parallel rank holds, in order; R of them
 */
public record EngineInfo(
    ModelConfig config,
    String revision,
    DType dtype,
    int maxContext,
    String device,
    int kvTokens,
    List<RankInfo> ranks) {
  public EngineInfo {
    ranks = List.copyOf(ranks);
  }

  /** Describes an engine that was just loaded: nothing of its pool is taken. */
  public static EngineInfo of(Engine engine) {
    return new EngineInfo(
        engine.config(),
        engine.revision(),
        engine.dtype(),
        engine.maxContext(),
        engine.device(),
        engine.freeKvTokens(),
        engine.ranks());
  }
}
