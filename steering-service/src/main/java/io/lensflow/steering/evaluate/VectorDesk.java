package io.lensflow.steering.evaluate;

import io.lensflow.steering.vector.VectorBook;
import io.lensflow.steering.vector.VectorChanges;
import io.lensflow.steering.worker.LiveWorkers;
import io.lensflow.steering.writer.ChangeWriter;

/**
 * What it takes to publish vectors and to retire them. As thread-safe as its parts.
 *
 * @param book what is there
 * @param changes plans changes
 * @param writer writes them
 * @param workers who must have loaded a version before it is used
 */
public record VectorDesk(
    VectorBook book, VectorChanges changes, ChangeWriter writer, LiveWorkers workers) {}
