/** Exactly-once: partitions, offsets, gaps and the transaction that holds results and offsets. */
package io.lensflow.decoder.delivery;
