/** The {@code lensflow} command. */
package io.lensflow.cli;
