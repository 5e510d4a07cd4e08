package io.lensflow.worker.request;

/**
 * One try at a request.
 *
 * @param id UUID; numbers can repeat after a crash, ids do not
 * @param number from 1, for display and for the limit
 */
public record Attempt(String id, int number) {}
