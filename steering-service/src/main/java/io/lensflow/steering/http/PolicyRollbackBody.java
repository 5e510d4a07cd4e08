package io.lensflow.steering.http;

/**
 * What rolling a policy back sends.
 *
 * @param to the version to go back to; null takes the one before, or the last of an ended policy
 * @param expectedVersion version that must be current, 0 for none; null does not ask
 */
record PolicyRollbackBody(Integer to, Integer expectedVersion) {}
