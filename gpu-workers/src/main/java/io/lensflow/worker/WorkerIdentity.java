package io.lensflow.worker;

import java.time.Instant;

/**
 * Who a worker is, in every record that it writes. Immutable.
 *
 * @param worker name, stable over restarts
 * @param incarnation UUID of this process' start
 * @param startedAt when it started
 * @param model served name of its model
 * @param tokenizerHash SHA-256 of the model's {@code tokenizer.json}, hex
 */
public record WorkerIdentity(
    String worker, String incarnation, Instant startedAt, String model, String tokenizerHash) {}
