/** {@code lensflow lens fit}: learning a translator from the live activations. */
package io.lensflow.decoder.fit;
