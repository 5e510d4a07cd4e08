package io.lensflow.cli.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.ChangeOptions;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.VectorFile;
import io.lensflow.cli.steering.VectorName;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow vectors}: steering vectors through the steering service. */
@Command(
    name = "vectors",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Build, evaluate, publish, compare, combine, carry, roll back and retire steering vectors.",
      "Prints the service's answer as JSON; build, evaluate, similarity, export and jobs list print",
      "what people read."
    },
    subcommands = {
      VectorFilesCommand.Export.class,
      VectorFilesCommand.Import.class,
      BuildCommand.class,
      EvaluateCommand.class,
      JobsCommand.class,
      CombineCommand.class,
      SimilarityCommand.class
    })
public final class VectorsCommand {
  private static final String MODEL = "Served name of the model.";

  @Command(
      name = "publish",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "Publish a vector as the next version of its name.",
        "The file holds name, model, layer, hookPoint and values."
      })
  int publish(
      @Parameters(paramLabel = "FILE.json", description = "The vector.") Path file,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", description = MODEL) String model,
      @Option(names = "--name", description = "Name of the vector.") String name,
      @Mixin ChangeOptions change) {
    VectorFile vector =
        VectorFile.read(file, Optional.ofNullable(model), Optional.ofNullable(name));
    ApiPath path = change.waiting(ApiPath.vector(vector.model(), vector.name()));
    return ChangeOptions.show(service.api().post(path, vector.body(change::expecting)));
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "List a model's vectors with their versions and aliases.")
  int list(
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model) {
    return SteeringServiceOptions.show(service.api().get(ApiPath.model(model, "vectors")));
  }

  @Command(
      name = "history",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Show all versions of a vector, the newest first.")
  int history(
      @Parameters(paramLabel = "NAME", description = "Name of the vector.") String name,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model) {
    return SteeringServiceOptions.show(service.api().get(ApiPath.vector(model, name)));
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Show what each live worker made of a vector's versions.")
  int status(
      @Parameters(paramLabel = "NAME", description = "Name of the vector.") String name,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model) {
    return SteeringServiceOptions.show(
        service.api().get(ApiPath.vector(model, name).then("status")));
  }

  @Command(
      name = "diff",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Show what two versions of a vector differ in: fields, norms, cosines.")
  int diff(
      @Parameters(paramLabel = "NAME", description = "Name of the vector.") String name,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model,
      @Option(
              names = "--from",
              paramLabel = "VERSION",
              description = "Version or alias (default: the one before).")
          String from,
      @Option(
              names = "--to",
              paramLabel = "VERSION",
              description = "Version or alias (default: latest).")
          String to) {
    ApiPath path = ApiPath.vector(model, name).then("diff").with("from", from).with("to", to);
    return SteeringServiceOptions.show(service.api().get(path));
  }

  @Command(
      name = "alias",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = "Point an alias, such as production, at a version.")
  int alias(
      @Parameters(
              paramLabel = "NAME@VERSION",
              converter = VectorName.Converter.class,
              description = "The version, by number or by another alias (default: latest).")
          VectorName vector,
      @Parameters(paramLabel = "ALIAS", description = "The alias.") String alias,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model,
      @Option(names = "--delete", description = "Remove the alias instead.") boolean delete,
      @Mixin ChangeOptions change) {
    ApiPath named = ApiPath.vector(model, vector.name());
    ApiPath path = named.then("aliases", alias);
    if (delete) {
      if (change.waits()) {
        throw new CommandFailure("--wait: not with --delete, which no worker has to apply");
      }
      return ChangeOptions.show(service.api().delete(change.expecting(path)));
    }
    int version =
        service.api().get(named.then("versions", vector.versionOrLatest())).path("version").asInt();
    ObjectNode body = JsonNodeFactory.instance.objectNode().put("version", version);
    return ChangeOptions.show(
        service.api().put(change.waiting(path), change.expecting(body).toString()));
  }

  @Command(
      name = "rollback",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "Go back to an earlier version: an alias is pointed back; without one, the earlier",
        "version's content is published again, so that whoever uses latest goes back too."
      })
  int rollback(
      @Parameters(paramLabel = "NAME", description = "Name of the vector.") String name,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model,
      @Option(names = "--alias", description = "The alias to point back (default: latest).")
          String alias,
      @Option(
              names = "--to",
              paramLabel = "VERSION",
              description = "Go back to this one (default: the one before).")
          Integer to,
      @Mixin ChangeOptions change) {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    if (alias != null) {
      body.put("alias", alias);
    }
    if (to != null) {
      body.put("to", to);
    }
    ApiPath path = change.waiting(ApiPath.vector(model, name).then("rollback"));
    return ChangeOptions.show(service.api().post(path, change.expecting(body).toString()));
  }

  @Command(
      name = "retire",
      aliases = "delete",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "Retire a vector with all its versions, or one version. Requests that run keep it.",
        "Refused while an alias or a policy refers to it."
      })
  int retire(
      @Parameters(paramLabel = "NAME", description = "Name of the vector.") String name,
      @Mixin SteeringServiceOptions service,
      @Option(names = "--model", required = true, description = MODEL) String model,
      @Option(names = "--version-number", paramLabel = "N", description = "Only this version.")
          Integer version,
      @Option(
              names = "--expect",
              paramLabel = "VERSION",
              description = "Only if this version is the latest.")
          Integer expected) {
    if (version != null && expected != null) {
      throw new CommandFailure(
          "--expect: not with --version-number, which names the version that is retired");
    }
    ApiPath path = ApiPath.vector(model, name);
    return SteeringServiceOptions.show(
        service
            .api()
            .delete(
                version == null
                    ? path.with("expectedVersion", expected)
                    : path.then("versions", version.toString())));
  }
}
