package io.lensflow.worker.ranks;

import java.time.Duration;

/**
 * How an engine comes back after an error.
 *
 * @param minBackoff wait before the first reload
 * @param maxBackoff longest wait
 * @param maxRestarts reloads in a row after which the process is given up
 */
public record RestartPolicy(Duration minBackoff, Duration maxBackoff, int maxRestarts) {}
