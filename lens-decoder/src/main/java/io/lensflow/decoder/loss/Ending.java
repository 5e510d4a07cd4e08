package io.lensflow.decoder.loss;

import io.lensflow.records.CompletionEvent;

/**
 * A request that finished, with chunks that lenses owe an answer to. Immutable but for the event,
 * which nobody changes.
 *
 * @param event its first terminal event, {@code FINISHED}
 * @param traceparent trace context of the event; null if it has none
 */
public record Ending(CompletionEvent event, String traceparent) {}
