/**
 * Work that takes longer than a call: builds and evaluations of vectors. A job is a record on
 * {@code steering-jobs}; the writer runs it, and whoever writes next takes it up again. {@link
 * io.lensflow.steering.job.JobKind} is what a kind of work has to say.
 */
package io.lensflow.steering.job;
