/**
 * The steering service: stores, versions and publishes steering vectors over HTTP and Kafka. Its
 * only state is in the compacted steering topics; one instance at a time writes them.
 */
package io.lensflow.steering;
