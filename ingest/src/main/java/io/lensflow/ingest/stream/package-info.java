/**
 * Events of a request from the log to a client.
 *
 * <p>A stream keeps nothing anywhere: it computes the partition from the request's id, seeks by the
 * time in the id, reads from there with a consumer of its own until it has caught up, and then
 * joins the one {@link io.lensflow.ingest.stream.SharedTail} of this instance. {@link
 * io.lensflow.ingest.stream.EventId} says how far a client has got; a resumed stream reads the
 * request's records again from their beginning, because what it must know (attempts, the winner,
 * which results are there) is in them, and leaves out what was delivered.
 *
 * <p>Threads: one per stream, which owns its {@link io.lensflow.ingest.stream.Timeline} and, while
 * it catches up, a {@link io.lensflow.ingest.stream.LogReader}; one for the tail.
 */
package io.lensflow.ingest.stream;
