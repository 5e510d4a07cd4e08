/** What a lens says about a chunk: its table of values, the canary, and the records made of it. */
package io.lensflow.decoder.lens;
