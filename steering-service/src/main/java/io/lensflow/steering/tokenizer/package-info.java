/** The tokenizers of served models: their files, and no weights. */
package io.lensflow.steering.tokenizer;
