package io.lensflow.worker.publishing;

import java.time.Duration;

/**
 * When rows become a chunk.
 *
 * @param maxRecordBytes most bytes of a serialised record, below the topic's {@code
 *     max.message.bytes}
 * @param maxRows positions after which a chunk is sent
 * @param flushInterval age of the oldest row after which a chunk is sent
 */
public record ChunkLimits(int maxRecordBytes, int maxRows, Duration flushInterval) {}
