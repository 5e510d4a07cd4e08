/** Continuous batching: which sequences move on in the next step, and what their tokens mean. */
package io.lensflow.worker.scheduling;
