package io.lensflow.decoder.chunk;

import io.lensflow.engine.model.ModelConfig;

/**
 * The checkpoint that this decoder has loaded, as chunks name it.
 *
 * @param model served name
 * @param revision hash over the checkpoint's configuration and safetensors headers
 * @param tokenizerHash SHA-256 of {@code tokenizer.json}, hex
 * @param config L, D, V and the rest
 */
public record Checkpoint(String model, String revision, String tokenizerHash, ModelConfig config) {}
