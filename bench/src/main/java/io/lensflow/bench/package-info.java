/**
 * Benchmarks of the paths that users run. Every figure is a ratio of two things timed in one run.
 */
package io.lensflow.bench;
