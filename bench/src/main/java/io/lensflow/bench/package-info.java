/**
 * The {@code bench} command: benchmarks of the paths that users run. Every figure compares things
 * that are timed in one run.
 */
package io.lensflow.bench;
