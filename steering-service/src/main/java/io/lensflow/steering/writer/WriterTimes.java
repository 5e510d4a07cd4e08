package io.lensflow.steering.writer;

import java.time.Duration;

/**
 * How long things may take around the writer.
 *
 * @param session after so long without a sign of life the writer is replaced
 * @param transaction after so long the broker aborts a transaction that was left open
 * @param catchUp reading the topics to their end when taking over
 */
public record WriterTimes(Duration session, Duration transaction, Duration catchUp) {}
