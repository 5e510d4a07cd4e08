package io.lensflow.cli.command;

import java.util.concurrent.Callable;

/**
 * A command that a module above this one adds. It is found with {@link java.util.ServiceLoader}, so
 * that {@code cli} need not know who adds what; it carries picocli's {@code @Command}, and gets the
 * same handling of errors and exit codes as every other command.
 */
public interface Subcommand extends Callable<Integer> {}
