/** One class per command: options in, exit code out. */
package io.lensflow.cli.command;
