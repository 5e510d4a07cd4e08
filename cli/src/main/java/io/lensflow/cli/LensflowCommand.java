package io.lensflow.cli;

import io.lensflow.cli.command.BrokerCommand;
import io.lensflow.cli.command.CaptureCommand;
import io.lensflow.cli.command.DecoderCommand;
import io.lensflow.cli.command.DemoCommand;
import io.lensflow.cli.command.IngestCommand;
import io.lensflow.cli.command.LensCommand;
import io.lensflow.cli.command.RegistryCommand;
import io.lensflow.cli.command.ReplayCommand;
import io.lensflow.cli.command.SteeringCommand;
import io.lensflow.cli.command.SubmitCommand;
import io.lensflow.cli.command.TopicsCommand;
import io.lensflow.cli.command.UpCommand;
import io.lensflow.cli.command.VectorsCommand;
import io.lensflow.cli.command.WatchCommand;
import io.lensflow.cli.command.WorkerCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code lensflow}: names the commands, does nothing itself. */
@Command(
    name = "lensflow",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Watch every layer of a running language model say what it thinks, on Kafka.",
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      SubmitCommand.class,
      WatchCommand.class,
      CaptureCommand.class,
      LensCommand.class,
      ReplayCommand.class,
      VectorsCommand.class,
      TopicsCommand.class,
      WorkerCommand.class,
      DecoderCommand.class,
      SteeringCommand.class,
      IngestCommand.class,
      BrokerCommand.class,
      RegistryCommand.class,
    })
final class LensflowCommand implements Runnable {
  @Spec CommandSpec spec;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Show the services' log and stack traces on standard error.")
  boolean verbose;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command? try 'lensflow demo'");
  }
}
