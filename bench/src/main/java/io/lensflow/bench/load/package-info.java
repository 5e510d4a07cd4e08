/** What loading a checkpoint takes. */
package io.lensflow.bench.load;
