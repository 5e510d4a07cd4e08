/** The whole system over Kafka. */
package io.lensflow.bench.pipeline;
