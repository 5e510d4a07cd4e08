/** The device side: a group of ranks that moves all sequences on by one step at a time. */
package io.lensflow.worker.ranks;
