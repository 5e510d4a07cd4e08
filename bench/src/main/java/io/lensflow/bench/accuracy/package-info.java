/** What the lens promises of its accuracy, held to float64. */
package io.lensflow.bench.accuracy;
