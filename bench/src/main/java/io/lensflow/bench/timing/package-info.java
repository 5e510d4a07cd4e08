/** Timing things in alternation, within one run. */
package io.lensflow.bench.timing;
