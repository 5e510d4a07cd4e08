package io.lensflow.engine;

import io.lensflow.engine.checkpoint.Checkpoint;
import io.lensflow.engine.model.Transformer;
import io.lensflow.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;

/** Makes engines from checkpoint folders, each on the thread that calls. Stateless. */
public final class EngineLoader {
  private EngineLoader() {}

  /**
   * Loads a checkpoint: configuration, tokenizer, weights.
   *
   * @param folder a folder in Hugging Face layout, with safetensors
   * @throws io.lensflow.engine.checkpoint.CheckpointException if something is missing, broken or
   *     not supported; the message names it
   * @throws IOException if a file cannot be read
   */
  public static Engine load(Path folder, EngineOptions options) throws IOException {
    return load(folder, options, LoadProgress.NONE);
  }

  /**
   * Loads a checkpoint and tells how far it is.
   *
   * @throws IllegalArgumentException if the model cannot be split into so many ranks, or a device
   *     is not there
   * @see #load(Path, EngineOptions)
   */
  public static Engine load(Path folder, EngineOptions options, LoadProgress progress)
      throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      Tokenizer tokenizer = Tokenizer.load(folder);
      try {
        return Transformer.load(checkpoint, tokenizer, options, progress);
      } catch (IOException | RuntimeException | Error e) {
        tokenizer.close();
        throw e;
      }
    }
  }
}
