package io.lensflow.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds models: a folder is taken as it is; a hub id is looked up in the cache that {@code
 * huggingface_hub} also uses, and fetched into it where needed.
 *
 * <p>A branch or tag is asked for anew each time; where the hub does not answer, a snapshot that is
 * complete in the cache will do. A commit that is complete is not asked for at all.
 *
 * <p>Thread-safe; several processes may fetch the same model at once.
 */
public final class ModelHub {
  private final SettingsSource settings;

  @FunctionalInterface
  private interface SettingsSource {
    HubSettings get() throws HubException;
  }

  private ModelHub(SettingsSource settings) {
    this.settings = settings;
  }

  /** A hub and a cache. */
  public ModelHub(HubSettings settings) {
    this(() -> settings);
  }

  /**
   * The hub and the cache that the environment names; see {@link HubSettings#fromEnvironment()},
   * which is called for hub ids only: who names a folder needs no hub to be in order.
   */
  public static ModelHub fromEnvironment() {
    return new ModelHub(HubSettings::fromEnvironment);
  }

  /**
   * A local folder with a model's files.
   *
   * @param folderOrId a folder, or {@code org/name[@revision]}
   * @param which the files that are needed
   * @param progress hears how a download goes
   * @throws IllegalArgumentException if it can be neither
   * @throws HubException if it cannot be had; says what was tried and what would help
   */
  public Path resolve(String folderOrId, ModelFiles which, DownloadProgress progress)
      throws IOException {
    return resolve(ModelSource.of(folderOrId), which, progress);
  }

  /** As {@link #resolve(String, ModelFiles, DownloadProgress)}. */
  public Path resolve(ModelSource source, ModelFiles which, DownloadProgress progress)
      throws IOException {
    if (source instanceof ModelSource.Folder folder) {
      return existing(folder.path());
    }
    return new Lookup(settings.get(), ((ModelSource.OnHub) source).id(), which).find(progress);
  }

  private static Path existing(Path path) throws HubException {
    if (Files.isDirectory(path)) {
      return path;
    }
    throw new HubException(
        Files.exists(path)
            ? "%s is a file; a model is a folder with config.json and safetensors files"
                .formatted(path.toAbsolutePath())
            : "there is no folder %s; give a checkpoint's folder, or a hub id, org/name[@revision]"
                .formatted(path.toAbsolutePath()));
  }
}
