/** Requests as a worker sees them: checked, tokenised, resolved, and the attempts at them. */
package io.lensflow.worker.request;
