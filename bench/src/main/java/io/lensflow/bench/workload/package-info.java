/** Work as users cause it: sequences that are generated, rows that are captured. */
package io.lensflow.bench.workload;
