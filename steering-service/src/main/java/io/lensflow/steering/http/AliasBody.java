package io.lensflow.steering.http;

/**
 * What setting an alias sends.
 *
 * @param version version that it shall stand for
 * @param expectedVersion version that it must stand for now, 0 for none; null does not ask
 */
record AliasBody(Integer version, Integer expectedVersion) {}
