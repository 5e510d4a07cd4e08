/** The device side: an engine of R ranks that moves all sequences on by one step at a time. */
package io.lensflow.worker.ranks;
