/** Tokenizer, chat template and streamed text, from tokenizer files alone. */
package io.lensflow.text;
