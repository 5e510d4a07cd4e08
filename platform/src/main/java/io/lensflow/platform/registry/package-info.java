/** A schema registry of our own, over a compacted topic, for machines without one. */
package io.lensflow.platform.registry;
