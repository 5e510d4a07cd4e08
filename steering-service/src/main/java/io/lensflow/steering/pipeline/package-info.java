/**
 * Running a job's requests through the workers: sent to the model's batch lane where it has one,
 * answers gathered from the topics of results.
 */
package io.lensflow.steering.pipeline;
