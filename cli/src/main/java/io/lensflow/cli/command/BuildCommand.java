package io.lensflow.cli.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.ContrastiveDataOptions;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.output.BuildTable;
import io.lensflow.cli.output.OutputFile;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.FollowedJob;
import io.lensflow.cli.steering.ServedModels;
import io.lensflow.cli.steering.SteeringApi;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow vectors build}: a vector from contrastive data. */
@Command(
    name = "build",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Build a vector from contrastive data, and publish it as the next version of its name.",
      "The model's workers read both answers of every item; Ctrl-C cancels what is left of that."
    })
final class BuildCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "Name of the vector.")
  String name;

  @Mixin SteeringServiceOptions service;

  @Option(names = "--model", description = "Served name (default: the only model served).")
  String model;

  @Mixin ContrastiveDataOptions data;

  @Option(
      names = "--layer",
      required = true,
      paramLabel = "N|SPEC",
      description = {
        "Layers: 14, 0-7, all. Several become one version with a vector for each, of which a",
        "request can choose."
      })
  String layers;

  @Option(
      names = "--hook-point",
      paramLabel = "HOOK_POINT",
      split = ",",
      defaultValue = "ATTENTION_INPUT",
      description = "Where in the block; several by commas (default: ${DEFAULT-VALUE}).")
  List<String> hookPoints;

  @Option(
      names = "--method",
      paramLabel = "METHOD",
      defaultValue = "mean-difference",
      description = "mean-difference, pca or logistic (default: ${DEFAULT-VALUE}).")
  String method;

  @Option(
      names = "--balance",
      paramLabel = "label|none",
      defaultValue = "label",
      description = {
        "label: take out what the answers' letters alone make; none: the plain mean, with",
        "mean-difference only (default: ${DEFAULT-VALUE})."
      })
  String balance;

  @Option(
      names = "--train",
      paramLabel = "ITEMS",
      description = "Items to build from, by number from 0, such as 0-99 (default: all).")
  String train;

  @Option(
      names = "--split",
      paramLabel = "SEED",
      description = "Split the items into train, validation and test, and build from train.")
  Long split;

  @Option(
      names = "--positions",
      paramLabel = "POSITIONS",
      description = "Where it steers unless a request says otherwise (default: all).")
  String positions;

  @Option(names = "--description", paramLabel = "TEXT", description = "What it is for.")
  String description;

  @Option(
      names = "--expect",
      paramLabel = "VERSION",
      description = "Only if this version is current; 0: only if there is none.")
  Integer expected;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Do not publish it; write it to this file, which 'vectors publish' takes.")
  Path out;

  @Option(names = "--detach", description = "Return at once; 'vectors jobs' shows the rest.")
  boolean detach;

  @Option(names = "--json", description = "Print the job as JSON.")
  boolean json;

  @Override
  public Integer call() throws Exception {
    if (out != null && detach) {
      throw new CommandFailure("--detach: nobody would write --out; leave one out");
    }
    OutputFile.check("--out", out);
    SteeringApi api = service.api();
    String served = ServedModels.choose(api, model);
    JsonNode job = api.post(ApiPath.model(served, "builds"), body().toString());
    if (detach) {
      return SteeringServiceOptions.show(job);
    }
    FollowedJob followed = new FollowedJob(api, job, "building " + name, "items");
    JsonNode done = Stopping.closing(followed, followed::await);
    JsonNode result = done.path("result");
    if (out != null) {
      write(result);
    }
    if (json) {
      return SteeringServiceOptions.show(done);
    }
    PrintStream terminal = Terminal.standardOutput();
    BuildTable.render(result).forEach(terminal::println);
    return 0;
  }

  private ObjectNode body() {
    ObjectNode body = JsonNodeFactory.instance.objectNode().put("name", name);
    data.addTo(body);
    body.put("layers", layers);
    ArrayNode where = body.putArray("hookPoints");
    hookPoints.forEach(where::add);
    body.put("method", method).put("balance", balance).put("publish", out == null);
    put(body, "train", train);
    put(body, "positions", positions);
    put(body, "description", description);
    if (split != null) {
      body.put("split", split);
    }
    if (expected != null) {
      body.put("expectedVersion", expected);
    }
    return body;
  }

  private static void put(ObjectNode body, String field, String value) {
    if (value != null) {
      body.put(field, value);
    }
  }

  /** What 'vectors publish' takes: the vector, and what is true of it. */
  private void write(JsonNode result) {
    ObjectNode file = JsonNodeFactory.instance.objectNode();
    for (String field :
        List.of(
            "name",
            "model",
            "revision",
            "method",
            "dataset",
            "datasetHash",
            "pairCount",
            "labelShare")) {
      file.set(field, result.path(field));
    }
    put(file, "positions", positions);
    put(file, "description", description);
    ArrayNode sites = file.putArray("sites");
    for (JsonNode site : result.path("sites")) {
      ObjectNode written = sites.addObject();
      for (String field : List.of("layer", "hookPoint", "values")) {
        written.set(field, site.path(field));
      }
    }
    OutputFile.write("--out", out, file.toPrettyString() + System.lineSeparator());
  }
}
