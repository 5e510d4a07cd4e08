package io.lensflow.cli.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.option.ChangeOptions;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.VectorName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow vectors combine}: a weighted sum, orthogonal to others, as a new version. */
@Command(
    name = "combine",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Publish a weighted sum of vectors, orthogonal to others if asked.")
final class CombineCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "Name of the result.")
  String name;

  @Mixin SteeringServiceOptions service;

  @Option(names = "--model", required = true, description = "Served name of the model.")
  String model;

  @Option(
      names = "--term",
      required = true,
      paramLabel = "NAME[@VERSION|@ALIAS]=WEIGHT",
      converter = VectorName.Converter.class,
      description = "One of what is added up; repeatable.")
  Map<VectorName, Double> terms = new LinkedHashMap<>();

  @Option(
      names = "--orthogonal-to",
      paramLabel = "NAME[@VERSION|@ALIAS]",
      converter = VectorName.Converter.class,
      description = "Take away the part in the span of these; repeatable.")
  List<VectorName> orthogonalTo = new ArrayList<>();

  @Option(names = "--description", paramLabel = "TEXT", description = "What it is for.")
  String description;

  @Mixin ChangeOptions change;

  @Override
  public Integer call() {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    ArrayNode sum = body.putArray("terms");
    terms.forEach((term, weight) -> sum.add(term.toJson().put("weight", weight)));
    ArrayNode others = body.putArray("orthogonalTo");
    orthogonalTo.forEach(other -> others.add(other.toJson()));
    if (description != null) {
      body.put("description", description);
    }
    ApiPath path = change.waiting(ApiPath.vector(model, name).then("combine"));
    return ChangeOptions.show(service.api().post(path, change.expecting(body).toString()));
  }
}
