package io.lensflow.cli.command;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.option.ChangeOptions;
import io.lensflow.cli.option.SteeringServiceOptions;
import io.lensflow.cli.output.Terminal;
import io.lensflow.cli.steering.ApiPath;
import io.lensflow.cli.steering.VectorName;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lensflow vectors export} and {@code import}: vectors as files of other tools. */
final class VectorFilesCommand {
  private static final String GGUF = "gguf";
  private static final String SAFETENSORS = "safetensors";

  private VectorFilesCommand() {}

  private static String format(String given, Path file) {
    if (given != null) {
      return given;
    }
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return name.endsWith("." + GGUF) ? GGUF : SAFETENSORS;
  }

  /** Carries a version away. */
  @Command(
      name = "export",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "Write a version to a safetensors file or a GGUF control vector.",
        "GGUF takes RESIDUAL_POST of layers 1 and above: direction.N is what follows layer N."
      })
  static final class Export implements Callable<Integer> {
    @Parameters(
        index = "0",
        paramLabel = "NAME[@VERSION|@ALIAS]",
        converter = VectorName.Converter.class,
        description = "The version.")
    VectorName vector;

    @Parameters(index = "1", paramLabel = "FILE", description = "Where to write it.")
    Path file;

    @Mixin SteeringServiceOptions service;

    @Option(names = "--model", required = true, description = "Served name of the model.")
    String model;

    @Option(
        names = "--format",
        description = "safetensors or gguf (default: as the file's name ends).")
    String format;

    @Option(
        names = "--model-hint",
        paramLabel = "TEXT",
        description = "What a GGUF file says of the model, such as llama.")
    String modelHint;

    @Override
    public Integer call() {
      ApiPath path =
          ApiPath.vector(model, vector.name())
              .then("versions", vector.versionOrLatest(), "file")
              .with("format", format(format, file))
              .with("modelHint", modelHint);
      HttpResponse<byte[]> answer = service.api().download(path);
      try {
        Files.write(file, answer.body());
      } catch (IOException e) {
        throw new CommandFailure("%s cannot be written: %s".formatted(file, e), e);
      }
      answer
          .headers()
          .firstValue("Lensflow-Warning")
          .ifPresent(warning -> Terminal.standardError().println("warning: " + warning));
      Terminal.standardOutput().printf("%s: %d bytes%n", file, answer.body().length);
      return 0;
    }
  }

  /** Publishes what a file holds. */
  @Command(
      name = "import",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      description = {
        "Publish a vector from a safetensors file or a GGUF control vector.",
        "Tensors of safetensors files are named HOOK_POINT.LAYER, or options say where they act."
      })
  static final class Import implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "FILE", description = "The file.")
    Path file;

    @Parameters(index = "1", paramLabel = "NAME", description = "Name of the vector.")
    String name;

    @Mixin SteeringServiceOptions service;

    @Option(names = "--model", required = true, description = "Served name of the model.")
    String model;

    @Option(
        names = "--format",
        description = "safetensors or gguf (default: as the file's name ends).")
    String format;

    @Option(names = "--tensor", paramLabel = "NAME", description = "The only tensor to take.")
    String tensor;

    @Option(names = "--hook-point", paramLabel = "POINT", description = "Where the tensors act.")
    String hookPoint;

    @Option(names = "--layer", paramLabel = "N", description = "Where the one tensor acts.")
    Integer layer;

    @Option(
        names = "--revision",
        paramLabel = "HASH",
        description = "Revision of the checkpoint it was made for (default: any).")
    String revision;

    @Option(names = "--description", paramLabel = "TEXT", description = "What it is for.")
    String description;

    @Option(
        names = "--any-model",
        description = "Take it even if the file says that it was made for a model of another name.")
    boolean anyModel;

    @Mixin ChangeOptions change;

    @Override
    public Integer call() {
      ApiPath path =
          ApiPath.vector(model, name)
              .then("import")
              .with("format", format(format, file))
              .with("tensor", tensor)
              .with("hookPoint", hookPoint)
              .with("layer", layer)
              .with("revision", revision)
              .with("description", description)
              .with("anyModel", anyModel ? true : null);
      byte[] content;
      try {
        content = Files.readAllBytes(file);
      } catch (IOException e) {
        throw new CommandFailure("%s cannot be read: %s".formatted(file, e), e);
      }
      return ChangeOptions.show(
          service.api().post(change.waiting(change.expecting(path)), content));
    }
  }
}
