package io.lensflow.steering.vector;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A key of the steering topics, taken apart: all that a tombstone tells. A closed set: {@link
 * Manifest}, {@link Site}, {@link Alias}.
 */
public sealed interface VectorKey {
  /** {@code M/name}, as {@link VectorId#key()} gives it. */
  String vector();

  /** Key of a manifest. */
  record Manifest(String vector, int version) implements VectorKey {}

  /**
   * Key of a site.
   *
   * @param place {@code HOOK_POINT/layer}
   */
  record Site(String vector, int version, String place) implements VectorKey {}

  /** Key of an alias. */
  record Alias(String vector, String alias) implements VectorKey {}

  /** Reads a key of {@code steering-vectors}; empty if it is none. */
  static Optional<VectorKey> ofVectorRecord(String key) {
    Matcher parts = Patterns.VECTOR.matcher(key);
    if (!parts.matches()) {
      return Optional.empty();
    }
    int version = Integer.parseInt(parts.group(2));
    return Optional.of(
        parts.group(3) == null
            ? new Manifest(parts.group(1), version)
            : new Site(parts.group(1), version, parts.group(3)));
  }

  /** Reads a key of {@code steering-aliases}; empty if it is none. */
  static Optional<Alias> ofAliasRecord(String key) {
    Matcher parts = Patterns.ALIAS.matcher(key);
    return parts.matches()
        ? Optional.of(new Alias(parts.group(1), parts.group(2)))
        : Optional.empty();
  }

  /** Compiled once. */
  final class Patterns {
    private static final Pattern VECTOR =
        Pattern.compile("([^/@]+/[^/@]+)@([1-9]\\d{0,8})(?:/([A-Z_]+/\\d{1,6}))?");
    private static final Pattern ALIAS = Pattern.compile("([^/@]+/[^/@]+)/([^/@]+)");

    private Patterns() {}
  }
}
