/**
 * Reading what comes back about requests.
 *
 * <p>Two ways, one set of rules. {@link io.lensflow.client.follow.LiveStream} hands on everything
 * as it arrives and says when another attempt begins. {@link
 * io.lensflow.client.follow.SettledStream} hands on the winning attempt only, each row once and in
 * order, after its terminal event. Both read through a {@link
 * io.lensflow.client.follow.RequestTail}: consumers without a group, on the partitions that the
 * request id maps to, filtered by header before anything is decoded.
 *
 * <p>A stream belongs to one caller at a time; only {@code close()} may come from another thread.
 */
package io.lensflow.client.follow;
