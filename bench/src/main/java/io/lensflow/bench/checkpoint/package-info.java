/** Checkpoints of random weights. */
package io.lensflow.bench.checkpoint;
