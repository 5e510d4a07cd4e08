/** The top of the actor tree: start, readiness, orderly stop and the end after a fatal failure. */
package io.lensflow.worker.supervision;
