/** {@code lensflow replay}: decoding rows again, from the log, beside the live flow. */
package io.lensflow.decoder.replay;
