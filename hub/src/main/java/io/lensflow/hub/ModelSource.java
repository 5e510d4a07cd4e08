package io.lensflow.hub;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a model is to come from, as a user names it: a folder or a hub id. Immutable.
 *
 * <p>What exists as a folder is a folder, also where it could be an id. Of the rest, what has
 * exactly one slash and does not begin as paths do ({@code /}, {@code ./}, {@code ../}, {@code ~})
 * is a hub id.
 */
public sealed interface ModelSource {
  /** A folder, which need not exist. */
  record Folder(Path path) implements ModelSource {
    @Override
    public String servedName() {
      Path whole = path.toAbsolutePath().normalize();
      return CachedModel.repositoryOfSnapshot(whole)
          .or(() -> Optional.ofNullable(whole.getFileName()).map(Path::toString))
          .orElse("model");
    }

    @Override
    public String toString() {
      return path.toString();
    }
  }

  /** A model on the hub. */
  record OnHub(ModelId id) implements ModelSource {
    @Override
    public String servedName() {
      return id.name();
    }

    @Override
    public String toString() {
      return id.toString();
    }
  }

  /**
   * Name under which the model is served where nobody says another: a folder's own name, and the
   * name in the id of a model on the hub, so that a model is called the same wherever it lies. A
   * snapshot in a hub's cache, a folder named by a commit, is called what its model is called.
   */
  String servedName();

  /**
   * Tells what was meant.
   *
   * @throws IllegalArgumentException if it is empty, or can be neither
   */
  static ModelSource of(String folderOrId) {
    String text = folderOrId.strip();
    if (text.isEmpty()) {
      throw new IllegalArgumentException(
          "the model is empty; give a checkpoint's folder or a hub id, org/name[@revision]");
    }
    Path path = Path.of(text);
    if (Files.exists(path) || looksLikeAPath(text)) {
      return new Folder(path);
    }
    try {
      return new OnHub(ModelId.parse(text));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "there is no folder %s, and as a hub id it is wrong: %s"
              .formatted(path.toAbsolutePath(), e.getMessage()),
          e);
    }
  }

  private static boolean looksLikeAPath(String text) {
    int at = text.indexOf('@');
    String beforeRevision = at < 0 ? text : text.substring(0, at);
    return text.startsWith("/")
        || text.startsWith(".")
        || text.startsWith("~")
        || text.contains("\\")
        || beforeRevision.chars().filter(c -> c == '/').count() != 1
        || beforeRevision.endsWith("/");
  }
}
