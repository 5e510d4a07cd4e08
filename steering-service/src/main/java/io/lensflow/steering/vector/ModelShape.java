package io.lensflow.steering.vector;

/**
 * What a live worker says of the model it runs, as far as vectors must fit it.
 *
 * @param worker name of the worker
 * @param revision revision of the checkpoint
 * @param layers L
 * @param hiddenSize D
 */
public record ModelShape(String worker, String revision, int layers, int hiddenSize) {}
