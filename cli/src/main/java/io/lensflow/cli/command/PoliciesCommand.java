package io.lensflow.cli.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.option.ChangeOptions;
import io.lensflow.cli.option.SteerOptions;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.steering.ApiPath;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow policies}: steering for traffic that does not ask for it. */
@Command(
    name = "policies",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Steer every request of a model, or those with given labels, unless a request says otherwise.",
      "Prints the service's answer as JSON."
    },
    subcommands = PoliciesCommand.Set.class)
public final class PoliciesCommand {
  private static final String MODEL = "Served name of the model.";
  private static final String POLICY = "Name of the policy.";

  /** Makes a policy, or its next version. */
  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "Make a policy, or its next version. Of the policies that match a request the one with the",
        "most labels holds. Without --steer it gives nothing, which exempts what it matches."
      })
  static final class Set implements Callable<Integer> {
    @Parameters(paramLabel = "POLICY", description = POLICY)
    String policy;

    @Mixin SteeringServiceOptions service;

    @Option(names = "--model", required = true, description = MODEL)
    String model;

    @Option(
        names = "--match",
        paramLabel = "LABEL=VALUE",
        description = "A label that a request must have; repeatable (default: every request).")
    Map<String, String> labels = new LinkedHashMap<>();

    @ArgGroup(exclusive = false, multiplicity = "0..*")
    List<SteerOptions> steering = new ArrayList<>();

    @Option(names = "--disabled", description = "Write it, but do not put it in force.")
    boolean disabled;

    @Option(names = "--description", paramLabel = "TEXT", description = "What it is for.")
    String description;

    @Mixin ChangeOptions change;

    @Override
    public Integer call() {
      ObjectNode body = JsonNodeFactory.instance.objectNode().put("enabled", !disabled);
      ObjectNode match = body.putObject("matchLabels");
      labels.forEach(match::put);
      ArrayNode vectors = body.putArray("steering");
      steering.forEach(vector -> vectors.add(vector.toJson()));
      if (description != null) {
        body.put("description", description);
      }
      ApiPath path = change.waiting(ApiPath.policy(model, policy));
      return ChangeOptions.show(service.api().put(path, change.expecting(body).toString()));
    }
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "List a model's policies.")
  int list(
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model) {
    return SteeringServiceOptions.show(service.api().get(ApiPath.model(model, "policies")));
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Show which version of a policy is in effect on which worker, and why not.")
  int status(
      @Parameters(paramLabel = "POLICY", description = POLICY) String policy,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model) {
    return SteeringServiceOptions.show(
        service.api().get(ApiPath.policy(model, policy).then("status")));
  }

  @Command(
      name = "history",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description =
          "Show all versions of a policy, the newest first; also of one that was deleted.")
  int history(
      @Parameters(paramLabel = "POLICY", description = POLICY) String policy,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model) {
    return SteeringServiceOptions.show(
        service.api().get(ApiPath.policy(model, policy).then("history")));
  }

  @Command(
      name = "diff",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Show what two versions of a policy differ in.")
  int diff(
      @Parameters(paramLabel = "POLICY", description = POLICY) String policy,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model,
      @Option(
              names = "--from",
              paramLabel = "VERSION",
              description = "Version (default: the one before).")
          Integer from,
      @Option(
              names = "--to",
              paramLabel = "VERSION",
              description = "Version (default: the newest).")
          Integer to) {
    ApiPath path = ApiPath.policy(model, policy).then("diff").with("from", from).with("to", to);
    return SteeringServiceOptions.show(service.api().get(path));
  }

  @Command(
      name = "rollback",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "Go back to an earlier version of a policy: its content becomes the next version. A policy",
        "that was deleted comes back."
      })
  int rollback(
      @Parameters(paramLabel = "POLICY", description = POLICY) String policy,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model,
      @Option(
              names = "--to",
              paramLabel = "VERSION",
              description = "Go back to this one (default: the one before).")
          Integer to,
      @Mixin ChangeOptions change) {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    if (to != null) {
      body.put("to", to);
    }
    ApiPath path = change.waiting(ApiPath.policy(model, policy).then("rollback"));
    return ChangeOptions.show(service.api().post(path, change.expecting(body).toString()));
  }

  @Command(
      name = "delete",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "End a policy.")
  int delete(
      @Parameters(paramLabel = "POLICY", description = POLICY) String policy,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model,
      @Mixin ChangeOptions change) {
    return ChangeOptions.show(
        service.api().delete(change.waiting(change.expecting(ApiPath.policy(model, policy)))));
  }
}
