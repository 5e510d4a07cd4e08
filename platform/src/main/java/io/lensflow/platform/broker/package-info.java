/** A Kafka broker of our own, in a child JVM, for machines without one. */
package io.lensflow.platform.broker;
