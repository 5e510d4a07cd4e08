package io.lensflow.steering.job;

import java.time.Duration;

/**
 * Limits of jobs.
 *
 * @param maxRunning jobs that run at a time
 * @param maxWaiting jobs that may wait for their turn
 * @param maxKept jobs that are over and still told of; the oldest are forgotten first
 * @param maxRequestBytes largest request of a job, its data included
 * @param progressInterval how often the progress of a job is written, at most
 */
public record JobSettings(
    int maxRunning, int maxWaiting, int maxKept, long maxRequestBytes, Duration progressInterval) {}
