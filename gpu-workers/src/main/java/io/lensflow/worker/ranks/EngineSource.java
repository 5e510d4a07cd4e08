package io.lensflow.worker.ranks;

import io.lensflow.engine.Engine;
import java.io.IOException;

/** Loads the engine of a group, all ranks; called again after a failure. */
@FunctionalInterface
public interface EngineSource {
  /**
   * Loads the engine on the calling thread, which will also step it.
   *
   * @throws IOException if the checkpoint is missing or broken; the message names the file
   */
  Engine load() throws IOException;
}
