package io.lensflow.cli.option;

import io.lensflow.cli.CommandFailure;
import io.lensflow.hub.ModelSource;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What {@code demo} and {@code up} have in common: which model, and where Kafka is. */
public final class SystemOptions {
  private static final String SHIPPED = "demo-model";
  private static final String SHIPPED_NAME = "lensflow-demo";

  @Option(
      names = "--model",
      paramLabel = "DIR|ID",
      description = {
        "Checkpoint: a folder in Hugging Face layout, or a hub id, org/name[@revision]",
        "(default: the demo model that is shipped)."
      })
  String model;

  @Option(
      names = "--served-name",
      paramLabel = "NAME",
      description = "Name under which clients know the model (default: the folder's or id's name).")
  String servedName;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "float32 or bfloat16 (default: the checkpoint's own).")
  String dtype;

  @Mixin ConnectionOptions connection;
  @Mixin SettingOptions settings;

  /** The project's folder, as the launcher says it; else the working folder. */
  public static Path home() {
    return Path.of(System.getProperty("lensflow.home", "")).toAbsolutePath();
  }

  /**
   * The checkpoint's folder; a model on the hub is fetched.
   *
   * @throws CommandFailure if it cannot be had
   */
  public Path model() {
    Path folder = LocalModel.resolve(model == null ? home().resolve(SHIPPED).toString() : model);
    if (!Files.isRegularFile(folder.resolve("config.json"))) {
      throw new CommandFailure(
          "%s has no config.json; --model wants a checkpoint in Hugging Face layout"
              .formatted(folder.toAbsolutePath()));
    }
    return folder;
  }

  /** Name under which clients know the model. */
  public String servedName() {
    if (servedName != null) {
      return servedName;
    }
    return model == null ? SHIPPED_NAME : ModelSource.of(model).servedName();
  }

  /** Whether the demo's own model runs, for which there are prompts and vectors. */
  public boolean isShippedModel() {
    return model == null;
  }

  /** The compute dtype, or empty for the checkpoint's own. */
  public String dtype() {
    return dtype == null ? "" : dtype;
  }

  /** Where Kafka and the registry are. */
  public ConnectionOptions connection() {
    return connection;
  }

  /** Further settings. */
  public SettingOptions settings() {
    return settings;
  }
}
