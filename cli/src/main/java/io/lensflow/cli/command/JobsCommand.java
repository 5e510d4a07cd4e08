package io.lensflow.cli.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lensflow.cli.option.ReportOptions;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.output.JobResults;
import io.lensflow.cli.output.JobTable;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.FollowedJob;
import java.io.PrintStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow vectors jobs}: builds and evaluations, running or over. */
@Command(
    name = "jobs",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "List, show, cancel and forget builds and evaluations.")
final class JobsCommand {
  private static final String JOB = "Id of the job.";

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "List all jobs, the newest first.")
  int list(
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", description = "Only of this model.") String model,
      @Option(names = "--json", description = "Print the answer as JSON.") boolean json) {
    JsonNode answer = service.api().get(ApiPath.jobs().with("model", model));
    if (json) {
      return SteeringServiceOptions.show(answer);
    }
    PrintStream out = Terminal.standardOutput();
    JobTable.render(answer.path("jobs")).forEach(out::println);
    return 0;
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Show a job with its result, as JSON unless --table is given.")
  int show(
      @Parameters(paramLabel = "JOB", description = JOB) String job,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--table", description = "Print what it found as 'build' and 'evaluate' do.")
          boolean table,
      @Mixin ReportOptions report) {
    report.check();
    JsonNode answer = service.api().get(FollowedJob.path(job));
    if (table) {
      JobResults.table(answer).forEach(Terminal.standardOutput()::println);
    } else {
      SteeringServiceOptions.show(answer);
    }
    if (report.isAsked()) {
      report.write(JobResults.evaluation(answer));
    }
    return 0;
  }

  @Command(
      name = "cancel",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "End a job without a result.")
  int cancel(
      @Parameters(paramLabel = "JOB", description = JOB) String job,
      @Mixin SteeringServiceOptions service) {
    return SteeringServiceOptions.show(
        service.api().post(FollowedJob.path(job).then("cancel"), ""));
  }

  @Command(
      name = "forget",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Take a job that is over off the list.")
  int forget(
      @Parameters(paramLabel = "JOB", description = JOB) String job,
      @Mixin SteeringServiceOptions service) {
    return SteeringServiceOptions.show(service.api().delete(FollowedJob.path(job)));
  }
}
