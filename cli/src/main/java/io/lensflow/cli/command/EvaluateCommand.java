package io.lensflow.cli.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.ContrastiveDataOptions;
import io.lensflow.cli.option.EvaluationOptions;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.FollowedJob;
import io.lensflow.cli.steering.ServedModels;
import io.lensflow.cli.steering.SteeringApi;
import io.lensflow.cli.steering.VectorName;
import io.lensflow.steering.evaluate.Evaluation;
import io.lensflow.steering.report.CurvePlot;
import io.lensflow.steering.report.EvaluationTable;
import io.lensflow.steering.report.HtmlReport;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
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
  private static final ObjectMapper JSON = new ObjectMapper();

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

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a report with plots to this file; it needs no other file.")
  Path html;

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      description = "Write the curve to this file as a picture.")
  Path svg;

  @Option(names = "--detach", description = "Return at once; 'vectors jobs' shows the rest.")
  boolean detach;

  @Override
  public Integer call() throws Exception {
    if (detach && (json != null || html != null || svg != null)) {
      throw new CommandFailure("--detach: nobody would write the files; leave one out");
    }
    SteeringApi api = service.api();
    String served = ServedModels.choose(api, model);
    JsonNode job = api.post(ApiPath.model(served, "evaluations"), body(api, served).toString());
    if (detach) {
      return SteeringServiceOptions.show(job);
    }
    FollowedJob followed = new FollowedJob(api, job, "evaluating " + vector.name(), "requests");
    JsonNode result = Stopping.closing(followed, followed::await).path("result");
    report(result);
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

  private void report(JsonNode result) throws IOException {
    Evaluation evaluation;
    try {
      evaluation = JSON.treeToValue(result, Evaluation.class);
    } catch (JsonProcessingException e) {
      throw new CommandFailure("the steering service answers what this version cannot read", e);
    }
    if (html != null) {
      write("--html", html, HtmlReport.of(evaluation));
    }
    if (svg != null) {
      write("--svg", svg, CurvePlot.of(evaluation));
    }
    PrintStream out = Terminal.standardOutput();
    if (json != null && json.toString().equals("-")) {
      out.println(result.toPrettyString());
      return;
    }
    if (json != null) {
      write("--json", json, result.toPrettyString() + System.lineSeparator());
    }
    EvaluationTable.of(evaluation).forEach(out::println);
  }

  private static void write(String option, Path file, String content) {
    try {
      Files.writeString(file, content);
    } catch (IOException e) {
      throw new CommandFailure("%s: %s cannot be written: %s".formatted(option, file, e), e);
    }
  }
}
