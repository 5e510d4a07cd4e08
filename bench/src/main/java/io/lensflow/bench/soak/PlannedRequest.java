package io.lensflow.bench.soak;

import io.lensflow.records.PromptRequest;
import java.time.Duration;

/**
 * A record that will be sent: a request, or bytes that are none.
 *
 * @param index its number
 * @param at when, after the first
 * @param kind what it is for
 * @param request the request, without id and times; null for bytes
 * @param bytes value of a record that cannot be decoded; null for a request
 * @param field of a request that is refused, the field at fault; else empty
 * @param cancelAfter when it is cancelled, after it was sent; null if it is not
 */
record PlannedRequest(
    int index,
    Duration at,
    Kind kind,
    PromptRequest request,
    byte[] bytes,
    String field,
    Duration cancelAfter) {
  /** What is tried with it. */
  enum Kind {
    /** A few tokens, every hook point in turn. */
    SHORT,
    /** So many tokens that faults strike in its middle. */
    LONG,
    /** Under one or two vectors. */
    STEERED,
    /** With temperature, from a seed of its own. */
    SAMPLED,
    /** Sent twice under one id. */
    TWICE,
    /** A long one that an order ends. */
    CANCELLED,
    /** Refused by name. */
    INVALID,
    /** No request at all, on the topic of requests. */
    BROKEN_REQUEST,
    /** No chunk at all, on the topic of activations. */
    BROKEN_CHUNK
  }
}
