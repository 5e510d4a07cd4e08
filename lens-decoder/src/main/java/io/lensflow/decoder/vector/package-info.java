/** Steering vectors as the decoder needs them: to project rows onto. */
package io.lensflow.decoder.vector;
