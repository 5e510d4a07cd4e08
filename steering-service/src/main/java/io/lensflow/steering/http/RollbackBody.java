package io.lensflow.steering.http;

/**
 * What a rollback sends.
 *
 * @param alias the alias to point back; null or {@code latest} publishes an earlier version's
 *     content again
 * @param to the version to go back to; null takes the one before
 * @param expectedVersion version that must be current, of the alias or of {@code latest}; null does
 *     not ask
 */
record RollbackBody(String alias, Integer to, Integer expectedVersion) {}
