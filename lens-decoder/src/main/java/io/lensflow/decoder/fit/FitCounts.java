package io.lensflow.decoder.fit;

/**
 * What a fit met on its way. Chunks, unless it says rows.
 *
 * @param chunks chunks of the model that hold what is wanted
 * @param otherAttempts chunks of a second attempt of a request that was met before: left out
 * @param steered chunks of steered requests: left out
 * @param refused chunks that were damaged, of another checkpoint, or held NaN: left out
 * @param unpairedRows rows whose position's last row was not found: left out
 * @param deletedRecords records that retention deleted before they were read
 */
public record FitCounts(
    long chunks,
    long otherAttempts,
    long steered,
    long refused,
    long unpairedRows,
    long deletedRecords) {}
