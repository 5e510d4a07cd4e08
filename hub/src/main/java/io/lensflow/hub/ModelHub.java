package io.lensflow.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
  private static final Logger log = LoggerFactory.getLogger(ModelHub.class);

  private final HubSettings settings;
  private final HubClient client;

  public ModelHub(HubSettings settings) {
    this.settings = settings;
    this.client = new HubClient(settings);
  }

  /**
   * The hub and the cache that the environment names; see {@link HubSettings#fromEnvironment()}.
   *
   * @throws HubException if a variable cannot be used; names it
   */
  public static ModelHub fromEnvironment() throws HubException {
    return new ModelHub(HubSettings.fromEnvironment());
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
    ModelId id = ((ModelSource.OnHub) source).id();
    CachedModel cache = new CachedModel(settings.cacheFolder(), id, settings.symlinks());
    Snapshot cached = new Snapshot(cache, id, which, cache.commit().orElse(null));
    if (settings.offline()) {
      return offline(cached);
    }
    if (id.isPinned() && cached.certainlyComplete()) {
      return cached.folder();
    }
    try {
      return online(id, which, cache, cached, progress);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HubException("interrupted while %s was fetched".formatted(id), e);
    }
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

  private Path offline(Snapshot cached) throws HubException {
    if (cached.commit().isEmpty()) {
      throw new HubException(
          ("%s is not a folder, not in the cache %s, and HF_HUB_OFFLINE forbids to fetch it; unset"
                  + " that, or fetch it on a machine that may")
              .formatted(cached.id(), settings.cacheFolder()));
    }
    List<String> missing = cached.missing();
    if (!missing.isEmpty()) {
      throw new HubException(
          "the snapshot of %s in %s lacks %s, and HF_HUB_OFFLINE forbids to fetch it; unset that"
              .formatted(cached.id(), cached.folder(), String.join(", ", missing)));
    }
    return cached.folder();
  }

  private Path online(
      ModelId id, ModelFiles which, CachedModel cache, Snapshot cached, DownloadProgress progress)
      throws IOException, InterruptedException {
    boolean fallback = cached.missing().isEmpty();
    ModelListing listing;
    try {
      listing = list(id, fallback);
    } catch (RevisionNotFoundException e) {
      throw e;
    } catch (IOException e) {
      if (!fallback) {
        throw notFound(id, e);
      }
      log.warn("{}; {} is taken from the cache as it is", Retries.describe(e), cached.folder());
      return cached.folder();
    }
    Snapshot wanted = new Snapshot(cache, id, which, listing.commit());
    wanted.check(listing);
    try (SnapshotDownload download =
        new SnapshotDownload(client, settings, cache, id, listing.commit())) {
      download.fetch(wanted.toFetchFirst(listing), DownloadProgress.SILENT);
      download.fetch(wanted.toFetch(listing), progress);
    }
    cache.remember(
        listing.commit(),
        which.optional().stream().filter(file -> !listing.files().contains(file)).toList());
    return wanted.folder();
  }

  /** With something to fall back on, the hub is asked once only. */
  private ModelListing list(ModelId id, boolean fallback) throws IOException, InterruptedException {
    int attempts = fallback ? 1 : settings.transfers().attempts();
    return new Retries(attempts, settings.transfers().firstWait())
        .run(id.toString(), () -> client.listing(id));
  }

  private HubException notFound(ModelId id, IOException e) {
    if (e instanceof HubException) {
      return new HubException(
          "%s is neither a folder here nor in the cache, and %s".formatted(id, e.getMessage()), e);
    }
    return new HubException(
        ("%s is neither a folder here nor complete in the cache %s, and the hub %s cannot be reached:"
                + " %s; check the network, the proxy (JAVA_OPTS) and HF_ENDPOINT")
            .formatted(id, settings.cacheFolder(), settings.endpoint(), Retries.describe(e)),
        e);
  }
}
