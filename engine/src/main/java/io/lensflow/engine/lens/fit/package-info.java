/** Learning translators from rows, by streamed least squares, and measuring what they are worth. */
package io.lensflow.engine.lens.fit;
