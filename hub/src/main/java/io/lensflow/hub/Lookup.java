package io.lensflow.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One search for a model of the hub: in the cache, then at the hub. Used by one thread. */
final class Lookup {
  private static final Logger log = LoggerFactory.getLogger(Lookup.class);

  private final HubSettings settings;
  private final ModelId id;
  private final ModelFiles which;
  private final CachedModel cache;

  Lookup(HubSettings settings, ModelId id, ModelFiles which) {
    this.settings = settings;
    this.id = id;
    this.which = which;
    this.cache = new CachedModel(settings.cacheFolder(), id, settings.symlinks());
  }

  /** The snapshot's folder; see {@link ModelHub#resolve}. */
  Path find(DownloadProgress progress) throws IOException {
    Snapshot cached = new Snapshot(cache, id, which, cache.commit().orElse(null));
    if (settings.offline()) {
      return offline(cached);
    }
    if (id.isPinned() && cached.certainlyComplete()) {
      return cached.folder();
    }
    try {
      return online(cached, progress);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HubException("interrupted while %s was fetched".formatted(id), e);
    }
  }

  private Path offline(Snapshot cached) throws HubException {
    if (cached.commit().isEmpty()) {
      throw new HubException(
          ("%s is not a folder, not in the cache %s, and HF_HUB_OFFLINE forbids to fetch it; unset"
                  + " that, or fetch it on a machine that may")
              .formatted(id, settings.cacheFolder()));
    }
    List<String> missing = cached.missing();
    if (!missing.isEmpty()) {
      throw new HubException(
          "the snapshot of %s in %s lacks %s, and HF_HUB_OFFLINE forbids to fetch it; unset that"
              .formatted(id, cached.folder(), String.join(", ", missing)));
    }
    return cached.folder();
  }

  private Path online(Snapshot cached, DownloadProgress progress)
      throws IOException, InterruptedException {
    HubClient client = new HubClient(settings);
    boolean fallback = cached.missing().isEmpty();
    ModelListing listing;
    try {
      listing = list(client, fallback);
    } catch (RevisionNotFoundException e) {
      throw e;
    } catch (IOException e) {
      if (!fallback) {
        throw notFound(e);
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
  private ModelListing list(HubClient client, boolean fallback)
      throws IOException, InterruptedException {
    int attempts = fallback ? 1 : settings.transfers().attempts();
    return new Retries(attempts, settings.transfers().firstWait())
        .run(id.toString(), () -> client.listing(id));
  }

  private HubException notFound(IOException e) {
    if (e instanceof HubException) {
      return new HubException(
          "%s is neither a folder here nor in the cache, and %s".formatted(id, e.getMessage()), e);
    }
    return new HubException(
        ("%s is neither a folder here nor complete in the cache %s, and the hub %s cannot be reached:"
                + " %s; check the network, the proxy (HTTPS_PROXY) and HF_ENDPOINT")
            .formatted(id, settings.cacheFolder(), settings.endpoint(), Retries.describe(e)),
        e);
  }
}
