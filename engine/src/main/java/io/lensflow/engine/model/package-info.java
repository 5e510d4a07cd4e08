/**
 * The transformer. What it is ({@link io.lensflow.engine.model.ModelConfig}), what it has learned
 * ({@code Weights}), what it remembers ({@code KvPool}, {@code RunningSequence}), what it computes
 * ({@code TransformerKernels}) and what one step does ({@code StepLayout}) are separate things.
 */
package io.lensflow.engine.model;
