/** The logit lens as it is run without a serving engine, to compare with. */
package io.lensflow.bench.classical;
