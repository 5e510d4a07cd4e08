package io.lensflow.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One model's part of the cache, laid out as {@code huggingface_hub} lays it out:
 *
 * <pre>
 * models--org--name/blobs/ETAG                    content, named by its hash
 * models--org--name/blobs/ETAG.incomplete         content that is still arriving
 * models--org--name/snapshots/COMMIT/config.json  → ../../blobs/ETAG
 * models--org--name/refs/main                     the commit that the branch had when last asked
 * models--org--name/.no_exist/COMMIT/FILE         empty: the commit has no such file
 * models--org--name/trees/COMMIT.json             the commit's files, where a newer tool left it
 * .locks/models--org--name/ETAG.lock              held while the blob is made
 * </pre>
 *
 * <p>Everything appears by a rename, so that readers never see half a file. Thread-safe.
 */
final class CachedModel {
  private static final Logger log = LoggerFactory.getLogger(CachedModel.class);
  private static final String SEPARATOR = "--";
  private static final String SNAPSHOTS = "snapshots";
  private static final int TREE_FORMAT = 1;

  private final Path root;
  private final Path locks;
  private final ModelId id;
  private final boolean symlinks;

  CachedModel(Path cacheFolder, ModelId id, boolean symlinks) {
    String folder = String.join(SEPARATOR, "models", id.owner(), id.name());
    this.root = cacheFolder.resolve(folder);
    this.locks = cacheFolder.resolve(".locks").resolve(folder);
    this.id = id;
    this.symlinks = symlinks;
  }

  /** The model's name, if a path is that of a snapshot in such a cache. */
  static Optional<String> repositoryOfSnapshot(Path path) {
    int names = path.getNameCount();
    if (names < 3
        || !ModelId.isCommit(path.getName(names - 1).toString())
        || !path.getName(names - 2).toString().equals(SNAPSHOTS)) {
      return Optional.empty();
    }
    String[] parts = path.getName(names - 3).toString().split(SEPARATOR);
    return parts.length >= 2 && parts[0].equals("models")
        ? Optional.of(parts[parts.length - 1])
        : Optional.empty();
  }

  /** The commit that the id's revision had when it was last asked for. */
  Optional<String> commit() throws IOException {
    if (id.isPinned()) {
      return Optional.of(id.revision());
    }
    Path ref = root.resolve("refs").resolve(id.revision());
    return Files.isRegularFile(ref)
        ? Optional.of(Files.readString(ref).strip()).filter(ModelId::isCommit)
        : Optional.empty();
  }

  Path snapshot(String commit) {
    return root.resolve(SNAPSHOTS).resolve(commit);
  }

  Path blob(String etag) {
    return root.resolve("blobs").resolve(etag);
  }

  Path incomplete(String etag) {
    return root.resolve("blobs").resolve(etag + ".incomplete");
  }

  Path lock(String etag) {
    return locks.resolve(etag + ".lock");
  }

  /** Whether a snapshot has a file; a link whose blob is gone does not count. */
  boolean has(String commit, String file) {
    return Files.isRegularFile(snapshot(commit).resolve(file));
  }

  /** Whether it is known that a commit has no such file. */
  boolean lacks(String commit, String file) {
    return Files.exists(absence(commit, file)) || tree(commit).map(t -> !t.has(file)).orElse(false);
  }

  /** Whether it is known that a commit has such a file, wherever it is. */
  boolean lists(String commit, String file) {
    return tree(commit).map(t -> t.has(file)).orElse(false);
  }

  private Path absence(String commit, String file) {
    return root.resolve(".no_exist").resolve(commit).resolve(file);
  }

  private Optional<JsonNode> tree(String commit) {
    Path file = root.resolve("trees").resolve(commit + ".json");
    try {
      if (Files.isRegularFile(file)) {
        JsonNode tree = new ObjectMapper().readTree(file.toFile());
        return Optional.of(tree.path("files"))
            .filter(JsonNode::isObject)
            .filter(files -> tree.path("format_version").asInt() == TREE_FORMAT);
      }
    } catch (IOException e) {
      log.debug("{} is not read: {}", file, e.toString());
    }
    return Optional.empty();
  }

  /**
   * Remembers what the hub said, for runs without it: what the revision is, and which files the
   * commit does not have. A cache that cannot be written to is none the worse for it.
   */
  void remember(String commit, Collection<String> absent) {
    try {
      for (String file : absent) {
        Path marker = absence(commit, file);
        if (!Files.exists(marker)) {
          Files.createDirectories(marker.getParent());
          Files.write(marker, new byte[0]);
        }
      }
      if (!id.isPinned() && !commit().equals(Optional.of(commit))) {
        Path ref = root.resolve("refs").resolve(id.revision());
        Files.createDirectories(ref.getParent());
        Path fresh = beside(ref);
        Files.writeString(fresh, commit);
        Files.move(fresh, ref, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      log.debug("{} is not written to: {}", root, e.toString());
    }
  }

  /**
   * Makes a blob a file of a snapshot: by a relative link, so that the cache can be moved; where
   * links are not possible by moving a blob that has just come, or else by copying it.
   */
  void link(String commit, String file, String etag, boolean justCame) throws IOException {
    Path target = snapshot(commit).resolve(file);
    Path blob = blob(etag);
    Files.createDirectories(target.getParent());
    Path fresh = beside(target);
    if (!(symlinks && tryLink(fresh, target.getParent().relativize(blob)))) {
      if (justCame) {
        fresh = blob;
      } else {
        Files.copy(blob, fresh);
      }
    }
    Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static boolean tryLink(Path link, Path target) throws IOException {
    try {
      Files.createSymbolicLink(link, target);
      return true;
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | IOException | SecurityException e) {
      log.debug("{} cannot be a link: {}", link, e.toString());
      return false;
    }
  }

  private static Path beside(Path path) {
    return path.resolveSibling(
        "%s.%s.tmp".formatted(path.getFileName(), UUID.randomUUID().toString().substring(0, 8)));
  }
}
