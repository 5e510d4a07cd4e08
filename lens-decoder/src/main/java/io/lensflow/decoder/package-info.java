/**
 * The lens decoder: takes raw activation rows from the {@code activations} topic, batches them
 * through the LM head, and publishes {@code lens-results}, each exactly once for read-committed
 * subscribers.
 *
 * <p>Two threads. The <em>loop</em> ({@link io.lensflow.decoder.delivery.DecodeLoop}) owns the
 * consumer, the transactional producer and every piece of state; the <em>kernel thread</em> ({@link
 * io.lensflow.decoder.batch.KernelThread}) owns the head and nothing else. Batches go from one to
 * the other through a bounded queue and come back finished, so the next rows are fetched and
 * checked while the last ones are decoded.
 */
package io.lensflow.decoder;
