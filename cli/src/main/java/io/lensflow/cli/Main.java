package io.lensflow.cli;

import io.lensflow.cli.command.Subcommand;
import io.lensflow.cli.output.Terminal;
import io.lensflow.client.ClientException;
import io.lensflow.platform.broker.BrokerStartException;
import io.lensflow.platform.registry.RegistryStartException;
import io.lensflow.service.SettingsException;
import io.lensflow.worker.WorkerStartException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.ServiceLoader;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * Where the {@code lensflow} command begins. Exit codes: 0 done, 1 could not be done, 2 wrong
 * usage; each of the latter with one line on standard error.
 */
public final class Main {
  private Main() {}

  /** Runs one command and ends the process. */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /**
   * Runs one command.
   *
   * @return its exit code
   */
  public static int run(String... args) {
    return commandLine().execute(args);
  }

  static CommandLine commandLine() {
    LensflowCommand top = new LensflowCommand();
    CommandLine line = new CommandLine(top);
    ServiceLoader.load(Subcommand.class).forEach(line::addSubcommand);
    line.setOut(new PrintWriter(Terminal.standardOutput(), true));
    line.setErr(new PrintWriter(Terminal.standardError(), true));
    line.setParameterExceptionHandler(Main::wrongUsage);
    line.setExecutionExceptionHandler((e, command, result) -> failed(e, command, top.verbose));
    line.setExecutionStrategy(
        result -> {
          Logging.begin(top.verbose);
          return new CommandLine.RunLast().execute(result);
        });
    return line;
  }

  /** One line and where to look, not the whole help. */
  private static int wrongUsage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    command
        .getErr()
        .printf(
            "%s: %s (see '%s --help')%n",
            command.getCommandSpec().qualifiedName(),
            oneLine(e.getMessage()),
            command.getCommandSpec().qualifiedName());
    return CommandLine.ExitCode.USAGE;
  }

  private static int failed(Exception e, CommandLine command, boolean verbose) {
    String name = command.getCommandSpec().qualifiedName();
    if (isExpected(e)) {
      command.getErr().printf("%s: %s%n", name, oneLine(message(e)));
    } else {
      command
          .getErr()
          .printf("%s: unexpected: %s (--verbose shows where)%n", name, oneLine(e.toString()));
    }
    if (verbose) {
      e.printStackTrace(command.getErr());
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** What a user can mend, with a message made for a user. */
  private static boolean isExpected(Exception e) {
    return e instanceof CommandFailure
        || e instanceof ClientException
        || e instanceof SettingsException
        || e instanceof BrokerStartException
        || e instanceof RegistryStartException
        || e instanceof WorkerStartException
        || e instanceof KafkaException
        || e instanceof TimeoutException
        || e instanceof IOException;
  }

  /** Java's own exceptions about files name the file, and the trouble by their class alone. */
  static String message(Exception e) {
    if (e instanceof AccessDeniedException) {
      return e.getMessage() + ": permission denied; let this user read it";
    }
    if (e instanceof NoSuchFileException) {
      return e.getMessage() + ": no such file";
    }
    return e.getMessage();
  }

  private static String oneLine(String message) {
    return message == null ? "no reason given" : message.strip().replaceAll("\\s*\\R\\s*", "; ");
  }
}
