package io.lensflow.hub;

import java.util.regex.Pattern;

/**
 * A model on a hub, written {@code org/name} or {@code org/name@revision}. Immutable.
 *
 * @param owner the user or organisation
 * @param name the repository's name
 * @param revision a branch, a tag or a commit; {@value #DEFAULT_REVISION} where none is given
 */
public record ModelId(String owner, String name, String revision) {
  /** The branch that is taken where no revision is given. */
  public static final String DEFAULT_REVISION = "main";

  private static final Pattern SEGMENT =
      Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?");
  private static final Pattern REVISION = Pattern.compile("[^\\s\\p{Cntrl}\\\\:?*\\[~^]{1,255}");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /** Checks the parts: they become folders of the cache and parts of addresses. */
  public ModelId {
    checkSegment(owner, "the owner");
    checkSegment(name, "the name");
    // Git's rules for references, which also keep the cache's refs folder from being left.
    if (!REVISION.matcher(revision).matches()
        || revision.contains("..")
        || revision.contains("//")
        || revision.startsWith("/")
        || revision.endsWith("/")
        || revision.startsWith(".")
        || revision.contains("/.")) {
      throw new IllegalArgumentException(
          "'%s' is no revision; it is a branch, a tag or a commit".formatted(revision));
    }
  }

  private static void checkSegment(String segment, String what) {
    // Two hyphens separate the parts in the cache's folder names.
    if (!SEGMENT.matcher(segment).matches()
        || segment.contains("--")
        || segment.contains("..")
        || segment.endsWith(".git")) {
      throw new IllegalArgumentException(
          ("%s '%s' is not one that a hub allows: letters, digits, '_', '-' and '.', at most 96, not"
                  + " beginning or ending with '-' or '.', without '--' and '..'")
              .formatted(what, segment));
    }
  }

  /**
   * Reads {@code org/name[@revision]}.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  public static ModelId parse(String text) {
    int at = text.indexOf('@');
    String repository = at < 0 ? text : text.substring(0, at);
    String revision = at < 0 ? DEFAULT_REVISION : text.substring(at + 1);
    String[] parts = repository.split("/", -1);
    if (parts.length != 2) {
      throw new IllegalArgumentException(
          "'%s' is not of the form org/name[@revision]".formatted(text));
    }
    return new ModelId(parts[0], parts[1], revision);
  }

  /** The id without its revision: {@code org/name}. */
  public String repository() {
    return owner + "/" + name;
  }

  /** Whether the revision is a whole commit hash, whose content never changes. */
  public boolean isPinned() {
    return isCommit(revision);
  }

  static boolean isCommit(String text) {
    return COMMIT.matcher(text).matches();
  }

  /** As it is written: {@code org/name}, and {@code @revision} unless it is the default one. */
  @Override
  public String toString() {
    return revision.equals(DEFAULT_REVISION) ? repository() : repository() + "@" + revision;
  }
}
