package io.lensflow.decoder.fit;

import io.lensflow.decoder.log.LogRange;
import io.lensflow.engine.capture.HookPoint;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a fit shall learn, from what, and where to put it.
 *
 * @param name of the lens
 * @param model served name of the model
 * @param checkpoint folder of its checkpoint; final norm and head are read, for the report
 * @param hookPoint whose rows it shall translate
 * @param rows positions to read, held-out ones included; 1 or more, the same count at every layer
 * @param heldOut share of requests that are not learned from but measured on, 0 … 0.5
 * @param seed chooses these requests
 * @param steered whether rows of steered requests count; else they are left out
 * @param range which part of the log to read
 * @param patience longest time without a new row before it goes on with what it has
 * @param threads threads that a kernel spreads over
 * @param maxHeldOutRows most held-out positions that are kept and measured on
 * @param output the file to write
 */
public record FitPlan(
    String name,
    String model,
    Path checkpoint,
    HookPoint hookPoint,
    long rows,
    double heldOut,
    long seed,
    boolean steered,
    LogRange range,
    Duration patience,
    int threads,
    int maxHeldOutRows,
    Path output) {}
