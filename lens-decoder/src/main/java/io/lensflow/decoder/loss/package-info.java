/** Which rows were lost to a hole in {@code activations}: asked of the other topics. */
package io.lensflow.decoder.loss;
