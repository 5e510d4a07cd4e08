/** Whether an activation chunk can be decoded by this checkpoint, and what it asks for. */
package io.lensflow.decoder.chunk;
