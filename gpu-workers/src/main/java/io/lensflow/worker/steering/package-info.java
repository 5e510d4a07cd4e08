/**
 * Versioned steering vectors: read from their topics, prepared on every rank, pinned by requests.
 */
package io.lensflow.worker.steering;
