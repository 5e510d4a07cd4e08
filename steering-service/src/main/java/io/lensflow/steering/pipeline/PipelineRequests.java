package io.lensflow.steering.pipeline;

import io.lensflow.records.PromptRequest;
import java.util.function.IntFunction;

/**
 * Requests of a job that belong together.
 *
 * @param series tells them from the job's other requests: with the job's id and an index it makes a
 *     request's id, so that a job that is taken over finds what was answered before
 * @param count how many
 * @param make request {@code index}, 0 … count−1: prompt, capture, lenses, steering, maxNewTokens;
 *     everything else is filled in. The same index always makes the same request
 * @param revision revision of the checkpoint that must answer them all, so that what is made of
 *     their rows is of one model; empty for any
 * @param rowBytes bytes that one request's rows have at most: what bounds how many are on their way
 * @param chunks whether raw rows are wanted, and not only what lenses say of them
 */
public record PipelineRequests(
    String series,
    int count,
    IntFunction<PromptRequest> make,
    String revision,
    long rowBytes,
    boolean chunks) {}
