/** Rows of many chunks, gathered into batches and run through the LM head on one thread. */
package io.lensflow.decoder.batch;
