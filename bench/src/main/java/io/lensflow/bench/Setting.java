package io.lensflow.bench;

import io.lensflow.bench.timing.Comparison;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * What all benchmarks of a run share. Immutable.
 *
 * @param model the checkpoint's folder
 * @param comparison how often everything is timed
 * @param fullClassicalLoop whether the classical loop is also run to its end
 * @param progress hears what is being done, a line at a time
 */
public record Setting(
    Path model, Comparison comparison, boolean fullClassicalLoop, Consumer<String> progress) {}
