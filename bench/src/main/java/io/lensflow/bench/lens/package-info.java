/** What batching gains the lens. */
package io.lensflow.bench.lens;
