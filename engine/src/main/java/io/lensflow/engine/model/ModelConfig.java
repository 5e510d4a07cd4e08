package io.lensflow.engine.model;

import java.util.Set;

/**
 * Shape and constants of a checkpoint, read from {@code config.json} and {@code
 * generation_config.json}.
 *
 * @param architecture such as {@code LlamaForCausalLM}
 * @param layers L
 * @param hiddenSize D
 * @param heads H
 * @param keyValueHeads K
 * @param headSize E
 * @param mlpSize F
 * @param vocabularySize V
 * @param maxPositions the checkpoint's context length
 * @param rmsNormEps ε of every RMSNorm
 * @param rope rotary embedding
 * @param tiedHead whether the head is the embedding matrix
 * @param eosTokenIds ids that end a sequence; empty if the checkpoint names none
 */
public record ModelConfig(
    String architecture,
    int layers,
    int hiddenSize,
    int heads,
    int keyValueHeads,
    int headSize,
    int mlpSize,
    int vocabularySize,
    int maxPositions,
    double rmsNormEps,
    RopeConfig rope,
    boolean tiedHead,
    Set<Integer> eosTokenIds) {
  public ModelConfig {
    eosTokenIds = Set.copyOf(eosTokenIds);
  }
}
