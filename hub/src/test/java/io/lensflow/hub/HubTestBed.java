package io.lensflow.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A cache in a temporary folder before a {@link HubServer}; waits are short. */
final class HubTestBed implements AutoCloseable {
  private static final HubSettings.Transfers QUICK =
      new HubSettings.Transfers(
          3, 3, Duration.ofMillis(1), Duration.ofSeconds(20), Duration.ofMillis(300));

  final HubServer server;
  final Path cache;
  String token;
  boolean offline;
  boolean symlinks = true;
  ProxySelector proxies = HttpClient.Builder.NO_PROXY;

  /** Another than the server's own, such as one that only a proxy can reach; null for none. */
  URI endpoint;

  HubTestBed(Path cache) throws IOException {
    this.server = HubServer.withTinyModel();
    this.cache = cache;
  }

  ModelHub hub() {
    return new ModelHub(
        new HubSettings(
            endpoint == null ? server.endpoint() : endpoint,
            cache,
            Optional.ofNullable(token),
            offline,
            symlinks,
            proxies,
            QUICK));
  }

  Path resolve(String id) throws IOException {
    return hub().resolve(id, ModelFiles.ALL, DownloadProgress.SILENT);
  }

  Path model() {
    return cache.resolve("models--org--tiny");
  }

  Path snapshot() {
    return model().resolve("snapshots").resolve(HubServer.COMMIT);
  }

  Path blob(String file) {
    return model().resolve("blobs").resolve(server.etag(file));
  }

  Path incomplete(String file) {
    return model().resolve("blobs").resolve(server.etag(file) + ".incomplete");
  }

  static TreeSet<String> names(Path folder) {
    try (Stream<Path> paths = Files.list(folder)) {
      TreeSet<String> names = new TreeSet<>();
      paths.forEach(path -> names.add(path.getFileName().toString()));
      return names;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    server.close();
  }
}
