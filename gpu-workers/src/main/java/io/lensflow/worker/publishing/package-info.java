/** What leaves a worker: activation chunks, completion events, and their order. */
package io.lensflow.worker.publishing;
