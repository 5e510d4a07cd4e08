/** Choosing tokens from logits, and the loop that generates one sequence. */
package io.lensflow.engine.generation;
