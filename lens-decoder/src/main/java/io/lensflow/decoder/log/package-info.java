/** Reading the activations topic from its log, beside the live flow. */
package io.lensflow.decoder.log;
