package io.lensflow.ingest.stream;

import java.time.Instant;

/**
 * What a client asks of a stream. Immutable.
 *
 * @param requestId the request to follow
 * @param from what the client has got already
 * @param settled whether only what counts in the end is told
 * @param filter which rows are told
 * @param since where to search the log from; null where the id tells, or from its beginning
 */
public record StreamRequest(
    String requestId, EventId from, boolean settled, RowFilter filter, Instant since) {}
