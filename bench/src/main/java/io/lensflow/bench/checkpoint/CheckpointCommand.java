package io.lensflow.bench.checkpoint;

import io.lensflow.cli.CommandFailure;
import io.lensflow.cli.output.Terminal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code lensflow bench checkpoint}: random weights in the shape of a known model. */
@Command(
    name = "checkpoint",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Write a checkpoint of random weights in the shape of a known model.",
      "It is as large and as slow as the real one and says nothing: for loading and for speed."
    })
public final class CheckpointCommand implements Callable<Integer> {
  @Option(
      names = "--shape",
      paramLabel = "NAME",
      required = true,
      converter = ShapeConverter.class,
      completionCandidates = Shapes.class,
      description = "One of ${COMPLETION-CANDIDATES}.")
  private Shape shape;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Folder to write; made if it is not there.")
  private Path folder;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed gives the same weights (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Override
  public Integer call() throws Exception {
    if (Files.exists(folder.resolve("model.safetensors"))) {
      throw new CommandFailure(
          folder.toAbsolutePath() + " holds a model already; --out wants another folder");
    }
    long bytes = new RandomCheckpoint(shape, seed).write(folder);
    Terminal.standardOutput().printf("%s: %s, %,d bytes%n", folder, shape, bytes);
    return 0;
  }

  /** Names of the shapes, for the help. */
  static final class Shapes implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(Shape.values()).map(Shape::toString).iterator();
    }
  }

  /** A shape by its name. */
  static final class ShapeConverter implements ITypeConverter<Shape> {
    @Override
    public Shape convert(String name) {
      return Arrays.stream(Shape.values())
          .filter(shape -> shape.toString().equals(name))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "there is no shape '%s'; there are %s"
                          .formatted(name, String.join(", ", new Shapes()))));
    }
  }
}
