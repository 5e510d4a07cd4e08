package io.lensflow.decoder.replay;

import io.lensflow.decoder.log.LogScan;
import java.time.Duration;
import java.util.List;

/**
 * What came of a replay.
 *
 * @param topic where the results are
 * @param chunks chunks that were decoded
 * @param rows rows that were decoded, times lenses
 * @param results records written, gaps not counted
 * @param gaps records written that say what could not be decoded
 * @param canaryMismatches rows of layer L−1 that disagree with what the worker computed
 * @param deleted what retention deleted while it was being read
 * @param missing one line for each attempt of the request of which chunks are no longer in the log;
 *     empty also where no single request was asked for
 * @param took wall time
 * @param processorTime time on processors, all threads together
 */
public record ReplayOutcome(
    String topic,
    long chunks,
    long rows,
    long results,
    long gaps,
    long canaryMismatches,
    List<LogScan.Hole> deleted,
    List<String> missing,
    Duration took,
    Duration processorTime) {}
