package io.lensflow.cli.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.ContrastiveDataOptions;
import io.lensflow.cli.option.EvaluationOptions;
import io.lensflow.cli.option.ReportOptions;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.output.JobResults;
import io.lensflow.cli.output.OutputFile;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.FollowedJob;
import io.lensflow.cli.steering.ServedModels;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.steering.VectorName;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow vectors evaluate}: how well and how safely a vector steers. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measure how a vector moves held-out items: slopes, controls, side effects.",
      "With --sweep, build vectors at many sites and measure the best. Ctrl-C cancels the job."
    })
final class EvaluateCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "NAME[@VERSION|@ALIAS]",
      converter = VectorName.Converter.class,
      description =
          "The vector (default: its latest version). With --sweep, a name for the result.")
  VectorName vector;

  @Mixin SteeringServiceOptions service;

  @Option(names = "--model", description = "Served name (default: the only model served).")
  String model;

  @Mixin ContrastiveDataOptions data;

  @Mixin EvaluationOptions options;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Write everything to this file as JSON; - for standard output.")
  Path json;

  @Mixin ReportOptions report;

  @Option(
      names = "--detach",
      description = "Return at once; 'vectors jobs show' shows the rest, and writes reports.")
  boolean detach;

  @Override
  public Integer call() throws Exception {
    if (detach && (json != null || report.isAsked())) {
      throw new CommandFailure("--detach: nobody would write the files; leave one out");
    }
    report.check();
    if (!toStandardOutput()) {
      OutputFile.check("--json", json);
    }
    SteeringApi api = service.api();
    String served = ServedModels.choose(api, model);
    JsonNode job = api.post(ApiPath.model(served, "evaluations"), body(api, served).toString());
    if (detach) {
      return SteeringServiceOptions.show(job);
    }
    FollowedJob followed = new FollowedJob(api, job, "evaluating " + vector.name(), "requests");
    show(Stopping.closing(followed, followed::await));
    return 0;
  }

  private ObjectNode body(SteeringApi api, String served) {
    ObjectNode body = JsonNodeFactory.instance.objectNode().put("name", vector.name());
    if (!options.isSweep()) {
      ApiPath version =
          ApiPath.vector(served, vector.name()).then("versions", vector.versionOrLatest());
      body.set("version", api.get(version).path("version"));
    }
    data.addTo(body);
    return options.addTo(body);
  }

  private boolean toStandardOutput() {
    return json != null && json.toString().equals("-");
  }

  /** What cost the evaluation comes first: no report that fails may take it along. */
  private void show(JsonNode job) {
    PrintStream out = Terminal.standardOutput();
    String all = job.path("result").toPrettyString() + System.lineSeparator();
    if (toStandardOutput()) {
      out.print(all);
    } else {
      if (json != null) {
        OutputFile.write("--json", json, all);
      }
      JobResults.table(job).forEach(out::println);
    }
    if (report.isAsked()) {
      report.write(JobResults.evaluation(job));
    }
  }
}
